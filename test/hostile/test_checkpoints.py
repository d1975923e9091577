# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints made to hurt: each is refused with one sentence that says what is wrong."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from model_subjects import checkpoint
from safetensors.torch import load_file, save_file
from subject import copied

from evla_ros.embodiment import load_embodiment
from evla_ros.errors import EvlaError
from evla_ros.model.checkpoint import HASHES, WEIGHTS, load_checkpoint
from evla_ros.model.errors import CheckpointError
from evla_ros.model.predictor import Predictor
from evla_ros.model.safe_files import sha256
from evla_ros.model.text_tokenizer import encode_text, read_tokenizer, text_growth
from evla_ros.policy.spec import PolicySpec, build_policy


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return checkpoint(tmp_path_factory.mktemp("original"))


@pytest.fixture
def folder(original, tmp_path):
    return copied(original, tmp_path / "checkpoint")


def hashed(folder: Path) -> None:
    """Record the hashes of the files as they are now, as someone with bad intent would."""
    recorded = json.loads((folder / HASHES).read_text())
    (folder / HASHES).write_text(json.dumps({name: sha256(folder / name) for name in recorded}))


def change_weights(folder: Path, name: str, value: Any) -> None:
    tensors = load_file(folder / WEIGHTS)
    tensors[name] = value(tensors[name])
    save_file(tensors, folder / WEIGHTS)
    hashed(folder)


def change_json(folder: Path, name: str, change: Any) -> None:
    content = json.loads((folder / name).read_text())
    change(content)
    (folder / name).write_text(json.dumps(content))
    hashed(folder)


def serve(folder: Path) -> None:
    build_policy(PolicySpec("evla", load_embodiment("tabletop_arm").text, str(folder)))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_one_weight_that_is_not_finite_is_refused_by_name(folder, bad):
    def spoil(tensor):
        tensor.view(-1)[3] = bad
        return tensor

    change_weights(folder, "slot_embedding", spoil)
    with pytest.raises(CheckpointError, match="slot_embedding holds numbers that are not finite"):
        load_checkpoint(folder)


def test_many_large_weights_are_not_taken_for_infinite_ones(folder):
    change_weights(folder, "projector.0.bias", lambda tensor: torch.full_like(tensor, 3e38))
    load_checkpoint(folder)


def test_an_answer_that_is_not_finite_is_refused_though_every_bin_is_one(folder):
    """The likeliest of 256 bins that are NaN is bin 0: the actions look sound, and are noise."""
    change_weights(folder, "projector.0.bias", lambda tensor: torch.full_like(tensor, 3e38))
    with pytest.raises(CheckpointError, match="answers a grey picture with numbers that are not"):
        serve(folder)
    frames = {name: np.zeros((24, 24, 3), np.uint8) for name in ("primary", "wrist")}
    actions = Predictor(folder).predict(frames, np.zeros(8, np.float32), "wave")
    assert np.isfinite(actions).all()


def test_whole_numbers_for_weights_are_refused(folder):
    change_weights(folder, "slot_embedding", lambda tensor: tensor.to(torch.int64))
    with pytest.raises(CheckpointError, match="slot_embedding holds torch.int64; weights are"):
        load_checkpoint(folder)


SIZES = {
    "layers": lambda c: c["language_model"].update(layers=10**9),
    "depth": lambda c: c["backbones"][0].update(depth=10**9),
    "hidden_size": lambda c: c["language_model"].update(hidden_size=10**12),
    "head_dim": lambda c: c["language_model"].update(head_dim=-8),
    "rope_theta": lambda c: c["language_model"].update(rope_theta=-1.0),
    "norm_eps": lambda c: c["language_model"].update(norm_eps=float("nan")),
    "std": lambda c: c["backbones"][0].update(std=[0.0, 1.0, 1.0]),
    "prefix_ids": lambda c: c["prompt"].update(prefix_ids=[-1]),
    "chunk": lambda c: c["action"].update(chunk=-8),
    "size": lambda c: c["image"].update(size=12 * 10**8),
    "proprio_dim": lambda c: c.update(proprio_dim=-8),
    "max_positions": lambda c: c["language_model"].update(max_positions=-1),
}


@pytest.mark.parametrize("name", SIZES)
def test_sizes_that_no_network_has_are_refused_by_name(folder, name):
    change_json(folder, "config.json", SIZES[name])
    with pytest.raises(EvlaError, match=rf"config.json: .*{name}") as refused:
        load_checkpoint(folder)
    assert len(str(refused.value)) < 400


def test_an_id_beyond_the_embedding_table_is_refused(folder):
    change_json(folder, "config.json", lambda c: c["prompt"].update(suffix_ids=[10**6]))
    with pytest.raises(EvlaError, match="gives the id 1000000, the network has 576 rows"):
        serve(folder)


def doubled(times: int) -> dict[str, Any]:
    step = {"type": "Replace", "pattern": {"String": "e"}, "content": "ee"}
    return {"type": "Sequence", "normalizers": [step] * times}


def test_a_normaliser_that_makes_texts_a_thousand_million_times_longer_is_refused(folder):
    change_json(folder, "tokenizer.json", lambda c: c.update(normalizer=doubled(30)))
    with pytest.raises(CheckpointError, match=r"make a text 4\.29e\+09 times longer"):
        load_checkpoint(folder)
    change_json(folder, "tokenizer.json", lambda c: c.update(normalizer=doubled(3)))
    assert (
        text_growth(load_checkpoint(folder).processor.prompt_builder.tokenizer) == 32
    )  # 2 x 2 x 2, and 4 of bytes as letters


def test_padding_of_the_file_is_not_applied(folder):
    padding = {
        "strategy": {"Fixed": 10**9},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "<|begin|>",
    }
    change_json(folder, "tokenizer.json", lambda c: c.update(padding=padding))
    assert len(encode_text(read_tokenizer(folder / "tokenizer.json"), "lift")) < 10


@pytest.mark.parametrize("name", ["config.json", "embodiment.yaml", "dataset_statistics.json"])
def test_text_that_is_not_utf8_is_refused(folder, name):
    (folder / name).write_bytes(b"\xff\xfe{}")
    hashed(folder)
    with pytest.raises(EvlaError, match=rf"{name}: is not UTF-8 text \(byte 0\)"):
        load_checkpoint(folder)


@pytest.mark.parametrize("name", ["/proc/self/mem", "../data", "/etc/passwd", "a/b", "..", ""])
def test_hashes_of_files_outside_the_folder_are_refused(folder, name):
    recorded = json.loads((folder / HASHES).read_text())
    (folder / HASHES).write_text(json.dumps({**recorded, name: "0" * 64}))
    with pytest.raises(CheckpointError, match="which is no file of the folder|lacks|no regular"):
        load_checkpoint(folder)


def test_hashes_that_leave_out_the_weights_are_refused(folder):
    (folder / HASHES).write_text("{}")
    with pytest.raises(CheckpointError, match="records no hash of model.safetensors"):
        load_checkpoint(folder)


@pytest.mark.parametrize("target", ["model.safetensors", "/dev/zero", "/proc/self/mem", ".."])
@pytest.mark.parametrize("verify", [True, False])
def test_links_to_what_is_no_file_are_refused(folder, target, verify):
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).symlink_to(target)
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        load_checkpoint(folder, verify=verify)


def test_a_link_to_the_file_elsewhere_is_followed(folder, tmp_path):
    """Model caches keep the bytes in one place and link to them."""
    (folder / WEIGHTS).rename(tmp_path / "blob")
    (folder / WEIGHTS).symlink_to(tmp_path / "blob")
    load_checkpoint(folder)


def test_the_weights_get_the_mode_of_their_neighbours(original):
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in original.iterdir()}
    assert set(modes.values()) == {0o666 & ~_umask()}


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
