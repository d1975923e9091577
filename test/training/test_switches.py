# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every switch of the trainer does what it says, and a missing library is one sentence."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest
import torch

from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.training.checkpointing import states
from evla_ros.training.config import parse_config
from evla_ros.training.errors import TrainingError
from evla_ros.training.metrics import read_metrics
from evla_ros.training.model_changes import compiling
from evla_ros.training.train import train

STEPS = 3


@pytest.fixture
def learn(settings, tmp_path):
    """Train with changed settings in a folder of its own; losses by step, and the folder."""
    settings["optimizer"]["steps"] = STEPS
    count = iter(range(9))

    def run(**changes):
        optimizer = {**settings["optimizer"], **changes.pop("optimizer", {})}
        output = str(tmp_path / f"run{next(count)}")
        config = {**settings, **changes, "optimizer": optimizer, "output": output}
        folder = train(parse_config(config, "test"))
        return [e["loss"] for e in read_metrics(folder) if "loss" in e], folder

    return run


def test_bf16_follows_fp32(learn):
    full, _ = learn()
    half, folder = learn(optimizer={"precision": "bf16"})
    np.testing.assert_allclose(half, full, rtol=0.03)
    assert half != full
    kept = load_checkpoint(folder / "last").model
    assert all(p.dtype == torch.float32 for p in kept.parameters())


def test_auto_takes_the_precision_that_the_processor_has_units_for(learn, monkeypatch):
    full, _ = learn()
    for amx, same in ((False, True), (True, False)):
        found = {"amx_bf16": amx}
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda found=found: found)
        assert (learn(optimizer={"precision": "auto"})[0] == full) is same


def test_activation_checkpointing_changes_no_loss(learn):
    plain, _ = learn()
    saved, _ = learn(activation_checkpointing=True)
    np.testing.assert_allclose(saved, plain, rtol=1e-5)


@pytest.mark.timeout(600)
@pytest.mark.skipif(not compiling.has_compiler(), reason="no C++ compiler on this machine")
def test_compiled_steps_lose_the_same(learn, settings):
    data = [{**settings["datasets"][0], "val_split": "none"}]  # nothing to compile for evaluation
    plain, _ = learn(datasets=data)
    compiled, _ = learn(datasets=data, compile=True)
    np.testing.assert_allclose(compiled, plain, rtol=1e-4)


def test_compiling_without_a_compiler_is_one_sentence(learn, monkeypatch):
    monkeypatch.setattr(compiling, "has_compiler", lambda: False)
    with pytest.raises(TrainingError, match=r"needs a C\+\+ compiler"):
        learn(compile=True)


def test_constant_schedule_keeps_the_rate_after_the_warm_up(learn):
    _, folder = learn(optimizer={"schedule": "constant", "warmup_steps": 1})
    rates = [e["learning_rate"] for e in read_metrics(folder) if "loss" in e]
    assert rates == pytest.approx([3e-3] * STEPS)


def test_average_is_what_checkpoints_hold_and_the_state_goes_on_without_it(learn):
    from safetensors.torch import load_file

    raw, first = learn()
    averaged, second = learn(optimizer={"ema": 0.9})
    assert averaged == raw
    weights = [dict(load_checkpoint(f / "last").model.named_parameters()) for f in (first, second)]
    assert any(not torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    state = load_file(states(second)[-1] / "state.safetensors")
    name = "projector.0.weight"
    torch.testing.assert_close(state[f"model.{name}"], weights[0][name].detach(), rtol=0, atol=0)
    torch.testing.assert_close(state[f"ema.{name}"], weights[1][name].detach(), rtol=0, atol=0)


def test_tensorboard_gets_an_event_file_or_one_sentence(learn):
    if importlib.util.find_spec("tensorboard") is None:
        with pytest.raises(TrainingError, match="pip install tensorboard"):
            learn(tensorboard=True)
        return
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    losses, folder = learn(tensorboard=True)
    events = EventAccumulator(str(folder / "tensorboard")).Reload()
    assert [event.value for event in events.Scalars("loss")] == pytest.approx(losses, rel=1e-5)


@pytest.mark.parametrize(
    ("switch", "module", "message"),
    [
        ({"wandb": "project"}, "wandb", "pip install wandb"),
        ({"tensorboard": True}, "torch.utils.tensorboard", "pip install tensorboard"),
    ],
)
def test_a_viewer_that_is_not_installed_is_one_sentence(
    learn, monkeypatch, tmp_path, switch, module, message
):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(TrainingError, match=message):
        learn(**switch)
    assert not (tmp_path / "run0" / "last").exists()
