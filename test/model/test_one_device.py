# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every tensor of a forward, a decision and a training step is on the device of the network."""

from __future__ import annotations

import pytest
import torch
from one_device import META, OneDevice

from evla_ros.model.config import EvlaConfig
from evla_ros.model.decode import decode
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.fusion import fuse_projections
from evla_ros.model.model_input import ModelInput
from evla_ros.model.presets import load_preset
from evla_ros.training.config_file import parse_config
from evla_ros.training.distributed import ProcessGroup
from evla_ros.training.learner import Learner
from evla_ros.training.model_changes.trainable import trainable_modules
from evla_ros.training.objective.forward import ActionObjective
from evla_ros.training.samples.batch import Batch

B, R, T, P = 2, 2, 20, 8
BLOCKS = 4


def network(name: str, chunk: int = 4, **action: object) -> EvlaModel:
    config = shallow(load_preset(name, chunk=chunk, proprio_dim=P, action=action))
    with META:
        return EvlaModel(config)


def shallow(config: EvlaConfig) -> EvlaConfig:
    """Return the network with few of the blocks of each tower and of the decoder: all are alike."""
    towers = [b.model_copy(update={"depth": min(b.depth, BLOCKS)}) for b in config.backbones]
    decoder = config.language_model
    decoder = decoder.model_copy(update={"layers": min(decoder.layers, BLOCKS)})
    return config.model_copy(update={"backbones": tuple(towers), "language_model": decoder})


def inputs(config: EvlaConfig, *rows: int) -> ModelInput:
    cameras, size = len(config.image.cameras), config.image.size
    return ModelInput(
        torch.zeros(*rows, T, dtype=torch.long, device=META),
        torch.full(rows, T, device=META),
        images=torch.zeros(B, cameras, 3, size, size, dtype=torch.uint8, device=META),
        proprio=torch.zeros(B, P, device=META),
    )


MODES = [("evla-nano", mode) for mode in ("joint", "autoregressive", "released")]
MODES += [("evla-1b", mode) for mode in ("joint", "autoregressive")]


@pytest.mark.parametrize(("name", "mode"), MODES)
def test_a_decision_stays_on_the_device(name, mode):
    model = fuse_projections(network(name, chunk=1).eval())
    batch = inputs(model.config, B)
    with OneDevice() as watch:
        decode(model, batch, mode, "tokens")
        watch.sent = 0  # its constant tables are sent once
        actions = decode(model, batch, mode, "tokens")
    action = model.config.action
    assert (actions.device, tuple(actions.shape)) == (META, (B, action.chunk, action.dim))
    assert watch.sent == 0


SETTINGS = [
    {"loss": {"grounding": 0.5}},
    {"loss": {"steps": 2}, "model": {"action": {"mask": "isolated"}}},
    {"model": {"action": {"decode": "autoregressive", "heads": ["tokens"], "output": "tokens"}}},
    {"lora": {"rank": 4}},
    {"activation_checkpointing": True, "freeze": ["vision"], "optimizer": {"ema": 0.9}},
]


STEPS = [("evla-nano", settings) for settings in SETTINGS]
STEPS += [("evla-1b", SETTINGS[0]), ("evla-1b", SETTINGS[-1])]


@pytest.mark.parametrize(("name", "settings"), STEPS)
def test_a_training_step_stays_on_the_device(name, settings):
    config = parse_config({"output": "x", "datasets": [{"path": "x"}], **settings}, "test")
    model = network(name, **settings.get("model", {}).get("action", {})).train()
    group = ProcessGroup(0, 1, META)
    modules = trainable_modules(model, config, group)
    objective = ActionObjective(model, config, modules)
    learner = Learner(config, model, modules, objective, "fp32", group)
    chunk, dim = model.config.action.chunk, model.config.action.dim
    batch = Batch(
        inputs(model.config, B, R),
        torch.zeros(B, R, chunk, dim, device=META),
        torch.ones(B, R, chunk, dtype=torch.bool, device=META),
        torch.ones(B, dim, device=META),
        torch.zeros(B, dtype=torch.long, device=META),
        torch.zeros(B, R, 2, dtype=torch.long, device=META),
        torch.zeros(B, R, 2, 5, device=META),
    )
    with OneDevice() as watch:
        learner.step(0, iter([batch]))
        watch.sent = 0
        totals, norm = learner.step(1, iter([batch]))
    assert norm.device == META
    assert {p.grad for p in model.parameters()} == {None}
    assert totals is not None
    assert watch.sent <= 2  # the chosen steps of a chunk


def test_a_stray_tensor_and_a_look_at_a_number_fail():
    x = torch.zeros(3, device=META)
    with OneDevice():
        with pytest.raises(RuntimeError, match=r"shapes \[\(3,\)\] are on cpu"):
            x + torch.zeros(3)
        with pytest.raises(RuntimeError, match=r"on cpu"):
            x[torch.zeros(3, dtype=torch.long)]
        for look in (lambda: x.sum().item(), lambda: x[x > 0], x.cpu, x.nonzero):
            with pytest.raises((RuntimeError, NotImplementedError)):
                look()
