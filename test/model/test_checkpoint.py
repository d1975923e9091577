# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Saved and loaded folders, the whole step through them, and every way such a folder can be bad."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_model import FAMILIES, random_batch, tiny_config, tiny_model
from tokenizers import Tokenizer

from evla_ros.errors import EvlaError
from evla_ros.model.building import build_with
from evla_ros.model.checkpoint import load_checkpoint, save_checkpoint
from evla_ros.model.errors import CheckpointError, ObservationError, StatisticsError
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.predictor import Predictor

CONFIG = tiny_config(cameras=2, proprio=8)
FRAMES = {name: np.full((30, 40, 3), 90, np.uint8) for name in CONFIG.image.cameras}


@pytest.fixture
def folder(tmp_path: Path, tokenizer: Tokenizer, statistics: DatasetStatistics) -> Path:
    """Return a saved checkpoint."""
    return save_checkpoint(
        tmp_path / "run" / "step-10", tiny_model(CONFIG), tokenizer, statistics, "name: robot\n"
    )


@torch.inference_mode()
def test_round_trip_is_exact(folder: Path) -> None:
    loaded = load_checkpoint(folder)
    model, processor, statistics = loaded
    assert model.config == CONFIG
    assert loaded.embodiment_text == "name: robot\n"
    assert set(statistics.datasets) == {"one", "two"}
    batch = random_batch(CONFIG, [7, 5])
    ours, theirs = (m.forward_joint(batch) for m in (tiny_model(CONFIG), model))
    assert ours.actions is not None
    assert theirs.actions is not None
    assert torch.equal(ours.actions, theirs.actions)
    assert processor(FRAMES, "lift", np.zeros(8)).input_ids[0, 0] == 0


def test_the_whole_step(folder: Path) -> None:
    predictor = Predictor(folder, statistics_key="one")
    proprio = np.zeros(8, np.float32)
    actions = predictor.predict(FRAMES, proprio, "lift the red block")
    assert actions.shape == (predictor.chunk_length, predictor.action_dim) == (2, 7)
    assert actions.dtype == np.float64
    limits = predictor.action_normalizer.high
    assert (np.abs(actions[:, :6]) <= limits[:6]).all()
    for mode in ("autoregressive", "released"):
        stepwise = Predictor(folder, decode=mode, statistics_key="one")
        assert stepwise.predict(FRAMES, proprio, "lift").shape == (2, 7)


def test_more_cameras_than_trained_with_are_ignored(folder: Path) -> None:
    predictor = Predictor(folder, statistics_key="one")
    proprio = np.zeros(8, np.float32)
    more = {**FRAMES, "rear": np.zeros((9, 9, 3), np.uint8)}
    same = predictor.predict(FRAMES, proprio, "lift")
    np.testing.assert_array_equal(predictor.predict(more, proprio, "lift"), same)
    with pytest.raises(ObservationError, match="camera 'camera1' is missing"):
        predictor.predict({"camera0": FRAMES["camera0"]}, proprio, "lift")


@pytest.mark.parametrize("family", FAMILIES)
@torch.inference_mode()
def test_every_family_survives_building_around_tensors(family: str) -> None:
    """Buffers that no checkpoint stores (rotary frequencies, scales) are computed anew."""
    config = tiny_config(family)
    model = tiny_model(config)
    rebuilt = build_with(config, dict(model.named_parameters()), "test")
    batch = random_batch(config, [7, 5])
    expected, actual = (m.forward_joint(batch).of_head("tokens") for m in (model, rebuilt))
    assert torch.equal(expected, actual)


def test_half_precision_step_is_close(folder: Path) -> None:
    steps = [
        Predictor(folder, dtype=dtype, output="l1", statistics_key="one").predict(
            FRAMES, np.zeros(8, np.float32), "lift the block"
        )
        for dtype in ("fp32", "bf16")
    ]
    assert np.abs(steps[0] - steps[1]).max() < 0.2 * np.abs(steps[0]).max() + 0.05


def test_int8_step_is_close(folder: Path) -> None:
    proprio = np.zeros(8, np.float32)
    exact, integer = (
        Predictor(folder, dtype=dtype, output="l1", statistics_key="one")
        for dtype in ("fp32", "int8")
    )
    assert integer.warm_up("lift") > 0.0
    steps = [p.predict(FRAMES, proprio, "lift the block") for p in (exact, integer)]
    assert np.abs(steps[0] - steps[1]).max() < 0.2 * np.abs(steps[0]).max() + 0.05


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is here")
def test_a_missing_device_is_named(folder: Path) -> None:
    with pytest.raises(EvlaError, match="no CUDA device is available"):
        Predictor(folder, device="cuda", statistics_key="one")


def test_bad_observations_are_named(folder: Path) -> None:
    predictor = Predictor(folder, statistics_key="one")
    with pytest.raises(
        ObservationError, match=r"proprioception has shape \[7\]; the model takes \[8\]"
    ):
        predictor.predict(FRAMES, np.zeros(7, np.float32), "lift")
    with pytest.raises(ObservationError, match="proprioception number 3 is nan"):
        predictor.predict(FRAMES, np.array([0, 0, 0, np.nan, 0, 0, 0, 0], np.float32), "lift")
    with pytest.raises(ObservationError, match="there are none"):
        predictor.predict(FRAMES, None, "lift")
    with pytest.raises(ObservationError, match="is not numbers"):
        predictor.predict(FRAMES, ["open"] * 8, "lift")  # type: ignore[arg-type]
    with pytest.raises(StatisticsError, match="name one"):
        Predictor(folder)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dtype": "fp8"}, "unknown dtype 'fp8'"),
        ({"decode": "jiont"}, "unknown decode mode 'jiont'; did you mean 'joint'"),
        ({"output": "l2"}, "unknown output 'l2'"),
        ({"device": "gpu"}, "unknown device 'gpu'"),
        ({"statistics_key": "thre"}, "thre"),
    ],
)
def test_bad_options_are_named(folder: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(EvlaError, match=message):
        Predictor(folder, **{"statistics_key": "one", **options})


def test_automatic_precision_is_one_of_the_two(folder: Path) -> None:
    predictor = Predictor(folder, dtype="auto", statistics_key="one")
    assert predictor.model.dtype in {torch.float32, torch.bfloat16}
    actions = predictor.predict(FRAMES, np.zeros(8, np.float32), "lift the block")
    assert np.isfinite(actions).all()


def test_an_existing_folder_is_kept(
    folder: Path, tokenizer: Tokenizer, statistics: DatasetStatistics
) -> None:
    before = (folder / "model.safetensors").read_bytes()
    other = tiny_model(CONFIG, seed=1)
    with pytest.raises(CheckpointError, match="exists; choose another"):
        save_checkpoint(folder, other, tokenizer, statistics)
    assert (folder / "model.safetensors").read_bytes() == before
    save_checkpoint(folder, other, tokenizer, statistics, overwrite=True)
    assert (folder / "model.safetensors").read_bytes() != before
    assert [path.name for path in folder.parent.iterdir()] == ["step-10"]


def _truncate(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def _drop_tensor(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("slot_embedding")
    tensors.pop("projector.0.bias")
    save_file(tensors, folder / "model.safetensors")


def _reshape(folder: Path) -> None:
    tensors = load_file(folder / "model.safetensors")
    tensors["slot_embedding"] = torch.zeros(3, 32)
    save_file(tensors, folder / "model.safetensors")


def _unknown_field(folder: Path) -> None:
    data = json.loads((folder / "config.json").read_text())
    data["action"]["chnk"] = 3
    (folder / "config.json").write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (_truncate, r"not a readable safetensors|no tensor|Metadata"),
        (_drop_tensor, r"lacks 1 tensors, the first is 'projector.0.bias'"),
        (_reshape, r"slot_embedding has shape \[3, 32\], the configuration asks for \[14, 32\]"),
        (_unknown_field, r"action.chnk.*did you mean 'chunk'"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "not a tokenizer file"),
        (lambda folder: (folder / "config.json").write_text("{"), "not valid JSON"),
        (lambda folder: (folder / "model.safetensors").unlink(), "do not exist|No such file"),
    ],
)
def test_damage_is_one_clear_error(
    folder: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(folder)
    with pytest.raises(CheckpointError, match=r"differs from its recorded hash|lacks model"):
        load_checkpoint(folder)
    with pytest.raises(EvlaError, match=message):
        load_checkpoint(folder, verify=False)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="does not exist"):
        load_checkpoint(tmp_path / "nothing")
