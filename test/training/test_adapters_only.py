# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Adapters saved alone, loaded on their base, are the merged checkpoint; or they are refused."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
import torch
from small_training import CONTINUOUS, write_imported

from evla_ros.cli.main import main
from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.model.errors import CheckpointError
from evla_ros.model.predictor import Predictor
from evla_ros.training.config_file import parse_config
from evla_ros.training.errors import TrainingError
from evla_ros.training.train import train

pytest.importorskip("peft", reason="LoRA needs peft")
TOKENS = {"decode": "joint", "heads": ["tokens"], "output": "tokens"}


def learn(settings, start, output, *, alone, action=CONTINUOUS, steps=6, resume=False):
    """Fine-tune with adapters."""
    settings["output"] = str(output)
    settings["model"] = {"start": str(start), "action": action, "cameras": ["primary"]}
    settings["lora"] = {"rank": 2, "alpha": 6.0, "adapters_only": alone}
    settings["optimizer"].update(steps=steps)
    return train(parse_config(settings, "test"), resume=resume)


@pytest.mark.parametrize("action", [CONTINUOUS, TOKENS], ids=["l1", "new action rows"])
def test_adapters_on_their_base_are_the_merged_checkpoint(
    settings, tmp_path, tiny_preset, action, capsys
):
    fresh = ["projector", "action_rows"]
    start = write_imported(tmp_path / "base", tiny_preset, untrained=fresh)
    merged = learn(settings, start, tmp_path / "merged", alone=False, action=action)
    alone = learn(settings, start, tmp_path / "alone", alone=True, action=action)
    one, two = load_checkpoint(merged / "last"), load_checkpoint(alone / "last")
    assert one.config == two.config
    for name, tensor in one.model.state_dict().items():
        torch.testing.assert_close(two.model.state_dict()[name], tensor, rtol=1e-5, atol=1e-6)
    assert not (alone / "last" / "model.safetensors").exists()
    sizes = [(alone / "last" / "adapters.safetensors"), (merged / "last" / "model.safetensors")]
    assert sizes[0].stat().st_size < sizes[1].stat().st_size
    assert main(["export", str(alone / "last"), str(tmp_path / "whole")]) == 0
    shutil.rmtree(start)  # a whole checkpoint asks for no base
    for name, tensor in load_checkpoint(tmp_path / "whole").model.state_dict().items():
        assert torch.equal(two.model.state_dict()[name], tensor)
    frames = {"primary": np.full((48, 48, 3), 90, np.uint8)}
    state = np.zeros(8, np.float32)
    answer = Predictor(tmp_path / "whole").predict(frames, state, "reach the red block")
    assert answer.shape == (4, 7)


def test_another_base_is_refused_and_a_moved_one_found(settings, tmp_path, tiny_preset, capsys):
    start = write_imported(tmp_path / "base", tiny_preset)
    alone = learn(settings, start, tmp_path / "run", alone=True) / "last"
    learn(settings, start, tmp_path / "run", alone=True, steps=8, resume=True)
    moved = start.rename(tmp_path / "moved")
    with pytest.raises(CheckpointError, match="holds adapters on .*base, which is not here; put"):
        load_checkpoint(alone)
    (alone / "base").symlink_to(moved)
    expected = load_checkpoint(alone).model.state_dict()
    (alone / "base").unlink()
    merged = learn(settings, moved, tmp_path / "merged", alone=False) / "last"
    (alone / "base").symlink_to(merged)
    with pytest.raises(CheckpointError, match="it is another base; put or link the right one"):
        load_checkpoint(alone)
    hashes = json.loads((moved / "checksums.json").read_text())
    weights = moved / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\0")
    (alone / "base").unlink()
    (alone / "base").symlink_to(moved)
    with pytest.raises(CheckpointError, match="differs from its recorded hash"):
        load_checkpoint(alone)
    assert hashes["model.safetensors"]
    assert expected
    assert main(["export", str(alone), str(tmp_path / "out")]) == 2
    assert "differs from its recorded hash" in capsys.readouterr().err


def test_adapters_are_not_trained_on_adapters(settings, tmp_path, tiny_preset):
    start = write_imported(tmp_path / "base", tiny_preset)
    alone = learn(settings, start, tmp_path / "run", alone=True) / "last"
    with pytest.raises(CheckpointError, match="holds adapters alone; adapters are trained on a"):
        learn(settings, alone, tmp_path / "second", alone=True)
    assert not (tmp_path / "second" / "last").exists()
    assert learn(settings, alone, tmp_path / "third", alone=False)  # a whole one may begin there


def test_adapters_only_needs_adapters_and_a_base(settings):
    settings["lora"] = {"adapters_only": True}
    with pytest.raises(TrainingError, match=r"lora\.adapters_only: no effect while lora\.rank"):
        train(parse_config(settings, "test"))
    settings["lora"] = {"adapters_only": True, "rank": 2}
    with pytest.raises(TrainingError, match=r"lora\.adapters_only: .*name model\.start"):
        train(parse_config(settings, "test"))
