# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every switch of the trainer does what it says, and a missing library is one sentence."""

from __future__ import annotations

import importlib.util
import sys

import numpy as np
import pytest
import torch

from evla_ros.model.attention_kernel import set_attention
from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.training import arithmetic
from evla_ros.training.checkpointing import state_metadata, states
from evla_ros.training.config_file import parse_config
from evla_ros.training.errors import TrainingError
from evla_ros.training.metrics import read_metrics
from evla_ros.training.model_changes import compiling
from evla_ros.training.parts import build
from evla_ros.training.run_folder import run_config
from evla_ros.training.samples.streams import stream
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


@pytest.mark.parametrize(("slow", "taken"), [("fp32", "bf16"), ("bf16", "fp32")])
def test_auto_takes_the_faster_precision_and_a_resumed_run_keeps_it(
    learn, monkeypatch, slow, taken
):
    asked = []

    def timed(attempt, choice, _device):
        attempt(choice.precision, choice.attention)
        asked.append(choice[1:])
        return 2.0 if choice.precision == slow else 1.0

    monkeypatch.setattr(arithmetic, "_timed", timed)
    plain, _ = learn(optimizer={"precision": taken})
    asked.clear()
    losses, folder = learn(optimizer={"precision": "auto"})
    assert losses == plain
    assert set(asked) == {("fp32", "sdpa"), ("bf16", "sdpa")}
    assert state_metadata(folder)["precision"] == taken
    asked.clear()
    train(run_config(folder, [f"optimizer.steps={STEPS + 1}"], resume=True), resume=True)
    assert set(asked) == {(taken, "sdpa")}


def test_the_faster_attention_kernel_is_taken(settings, learn, monkeypatch):
    settings["model"]["attention"] = "auto"
    for faster in ("eager", "sdpa"):
        monkeypatch.setattr(
            arithmetic, "_timed", lambda *given, f=faster: 1.0 + (given[1].attention != f)
        )
        assert state_metadata(learn()[1])["attention"] == faster


@pytest.mark.parametrize("faster", [1, 2])
def test_one_thread_is_taken_where_it_is_faster_than_all(learn, monkeypatch, faster):
    monkeypatch.setattr(arithmetic, "_timed", lambda *given: 1.0 + (given[1].threads != faster))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    torch.set_num_threads(2)
    assert state_metadata(learn()[1])["threads"] == faster == torch.get_num_threads()
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    torch.set_num_threads(2)
    assert state_metadata(learn()[1])["threads"] == 2


def test_attention_kernels_agree(settings):
    parts = build(parse_config(settings, "test"))
    batch = stream(parts, parse_config(settings, "test"), parts.train, None, train=True).batch([0])
    answers = []
    for kernel in ("eager", "sdpa"):
        set_attention(parts.model, kernel)
        answers.append(parts.model.forward_joint(batch.inputs).logits)
    torch.testing.assert_close(*answers, rtol=1e-4, atol=1e-5)


def test_activation_checkpointing_changes_no_loss(learn):
    plain, _ = learn()
    saved, _ = learn(activation_checkpointing=True)
    np.testing.assert_allclose(saved, plain, rtol=1e-5)


@pytest.mark.timeout(600)
@pytest.mark.skipif(not compiling.has_compiler(), reason="no C++ compiler on this machine")
def test_compiled_steps_lose_the_same(learn, settings):
    data = [{**settings["datasets"][0], "val_split": ""}]  # nothing to compile for evaluation
    off = {"eval_every": 200, "eval_batches": 8}
    plain, _ = learn(datasets=data, **off)
    compiled, _ = learn(datasets=data, compile=True, **off)
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
