# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From pretrained parts over both stages of phase 1 to a policy, by the commands of the pages."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from parts import PATCH, write_decoder, write_dino, write_siglip
from tokenizers import Tokenizer

from evla_ros.cli.main import main
from evla_ros.data.episode import Episode, rlds_flags
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.rlds.features import (
    DatasetFeatures,
    jpeg_image,
    metadata_features,
    rlds_step_features,
    tensor,
)
from evla_ros.data.rlds.writer import DatasetWriter
from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.training.metrics import read_metrics

CONFIGS = Path(__file__).resolve().parents[3] / "config" / "training"
COLOURS = {"red": (220, 20, 20), "blue": (20, 20, 220)}
SMALL = ("optimizer.precision=fp32", "data.workers=0", "log_every=4", "save_every=1000")


def picture(colour: str) -> bytes:
    return encode_jpeg(np.full((48, 48, 3), COLOURS[colour], dtype=np.uint8))


def write_captions(folder: Path) -> Path:
    """Captions of colours, an item without a picture, and one with two."""
    folder.mkdir()
    items: list[dict[str, object]] = []
    for colour in COLOURS:
        (folder / f"{colour}.jpg").write_bytes(picture(colour))
        ask = {"from": "human", "value": "<image>\nwhat is it?"}
        turns = [ask, {"from": "gpt", "value": f"a {colour} block"}]
        items.append({"id": colour, "image": f"{colour}.jpg", "conversations": turns})
    hello = [{"from": "human", "value": "hello"}, {"from": "gpt", "value": "good day"}]
    items.append({"conversations": hello})
    items.append({"image": ["red.jpg", "blue.jpg"], "conversations": hello})
    path = folder / "captions.json"
    path.write_text(json.dumps(items))
    return path


def write_bridge(root: Path) -> Path:
    """A dataset with the columns of BridgeData V2: the block's colour decides the motion."""
    steps = rlds_step_features(7, "")
    steps |= {"observation/image_0": jpeg_image(48, 48), "observation/state": tensor((7,))}
    length = 6
    with DatasetWriter(root, "bridge_orig", DatasetFeatures(steps, metadata_features())) as writer:
        for number in range(8):
            colour = ("red", "blue")[number % 2]
            action = np.zeros((length, 7), dtype=np.float32)
            action[:, 6] = number % 2
            state = np.cumsum(np.full((length, 7), 0.01 * (1 - 2 * (number % 2))), axis=0)
            state[:, 1:] *= np.linspace(0.5, 1.5, 6)
            writer.add(
                Episode(
                    images={"image_0": [picture(colour)] * length},
                    observations={"state": state.astype(np.float32)},
                    action=action,
                    instructions=["lift the block"] * length,
                    columns=dict(rlds_flags(length, terminal=True)),
                    metadata={"episode_id": f"{number}", "success": True},
                )
            )
    return writer.report.path


def losses(run: Path) -> list[float]:
    return [entry["loss"] for entry in read_metrics(run) if "loss" in entry]


def weights(run: Path) -> dict[str, torch.Tensor]:
    return dict(load_checkpoint(run / "last").model.named_parameters())


@pytest.mark.timeout(400)
def test_parts_are_aligned_taught_and_fine_tuned(
    tmp_path: Path, tokenizer: Tokenizer, capsys: pytest.CaptureFixture[str]
) -> None:
    torch.set_num_threads(1)
    write_dino(tmp_path / "dino", image_size=PATCH * 4)
    write_siglip(tmp_path / "siglip")
    write_decoder(tmp_path / "llm", "qwen2", tokenizer)
    start, aligned, vlm, run = (tmp_path / name for name in ("built", "aligned", "vlm", "run"))
    parts = [f"--{name}={tmp_path / name}" for name in ("siglip",)] + [f"--dinov2={tmp_path}/dino"]
    assert main(["build", str(start), *parts, f"--language-model={tmp_path}/llm"]) == 0
    assert "projector" in load_checkpoint(start).config.untrained

    data = [f"--data={write_captions(tmp_path / 'captions')}", *SMALL, "data.max_length=0"]
    schedule = ["optimizer.batch=4", "optimizer.epochs=24", "optimizer.learning_rate=1e-2"]
    align = ["train", "pretrain", f"{CONFIGS}/evla_1b_align.yaml", f"--start={start}", *data]
    assert main([*align, f"output={aligned}", *schedule]) == 0
    assert losses(aligned)[-1] < losses(aligned)[0] - 0.1
    assert f"--start {aligned}/last" in capsys.readouterr().err
    assert "projector" not in load_checkpoint(aligned / "last").config.untrained
    before, after = dict(load_checkpoint(start).model.named_parameters()), weights(aligned)
    changed = {name.split(".")[0] for name in after if not torch.equal(after[name], before[name])}
    assert changed == {"projector"}

    teach = ["train", "pretrain", f"{CONFIGS}/evla_1b_vlm.yaml", f"--start={aligned}/last", *data]
    assert main([*teach, f"output={vlm}", *schedule, "optimizer.epochs=20"]) == 0
    assert losses(vlm)[-1] < 0.3 * losses(vlm)[0]

    tune = ["train", "finetune", f"{CONFIGS}/evla_1b_bridge.yaml", f"--start={vlm}/last", *SMALL]
    tune += [f"--dataset={write_bridge(tmp_path)}", "optimizer.batch=8", "optimizer.epochs=0"]
    tune += ["datasets.0.transform=bridge", "datasets.0.val_split=", "eval_every=200"]
    tune += ["optimizer.learning_rate=1e-2"]
    assert main([*tune, f"output={run}", "optimizer.steps=16"]) == 0
    assert losses(run)[-1] < 0.5 * losses(run)[0]
    made = load_checkpoint(run / "last").config
    assert (made.action.chunk, made.action.decode, made.image.cameras) == (1, "joint", ("primary",))

    halves = tmp_path / "halves"
    assert main([*tune, f"output={halves}", "optimizer.steps=8"]) == 0
    assert main(["train", "finetune", str(halves), "--resume", "optimizer.steps=16"]) == 0
    assert losses(halves) == losses(run)
    for name, tensor_ in weights(run).items():
        assert torch.equal(weights(halves)[name], tensor_), name
