# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Weights under adapters in bf16 and in 4 bits: their error, their gradients, a run that learns."""

from __future__ import annotations

import sys

import pytest
import torch
from small_training import CONTINUOUS, write_imported
from torch import nn
from torch.nn import functional

from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.presets import load_preset
from evla_ros.training.config import LoraSettings
from evla_ros.training.config_file import parse_config
from evla_ros.training.errors import TrainingError
from evla_ros.training.metrics import read_metrics
from evla_ros.training.model_changes.lora import add_lora, merged_tensors
from evla_ros.training.model_changes.narrow_base import NarrowLinear, quantize_nf4
from evla_ros.training.train import train

pytest.importorskip("peft", reason="LoRA needs peft")
BASES = ["bf16", "nf4"]
# The 16 numbers of NF4: quantiles of the normal distribution, QLoRA's appendix E.
LEVELS = torch.tensor(
    [-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
     -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
     0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
     0.7229568362236023, 1.0]
)  # fmt: skip


def needed(base: str) -> str:
    """Skip where the library of a format is not installed."""
    if base == "nf4":
        pytest.importorskip("bitsandbytes", reason="evla_ros[nf4]")
    return base


@pytest.mark.parametrize("base", BASES)
def test_weights_and_gradients_are_those_of_the_narrowed_matrix(base: str) -> None:
    torch.manual_seed(0)
    dense = nn.Linear(96, 32)
    layer = NarrowLinear(dense, needed(base))
    if base == "nf4":  # the nearest of 16 levels, times the largest of each 64 numbers
        blocks = dense.weight.detach().reshape(-1, 64)
        scale = blocks.abs().amax(1, keepdim=True)
        nearest = (blocks[..., None] / scale[..., None] - LEVELS).abs().argmin(-1)
        expected = (LEVELS[nearest] * scale).reshape(32, 96)
        assert layer.packed.numel() == 32 * 96 // 2
    else:
        expected = dense.weight.detach().bfloat16().float()
    torch.testing.assert_close(layer.dense(), expected)
    error = (layer.dense() - dense.weight).norm() / dense.weight.norm()
    assert 0 < error < (0.12 if base == "nf4" else 0.005)
    x = torch.randn(5, 96, requires_grad=True)
    same = x.detach().clone().requires_grad_()
    answer = layer(x)
    torch.testing.assert_close(answer, functional.linear(same, expected, dense.bias))
    answer.square().sum().backward()
    functional.linear(same, expected, dense.bias).square().sum().backward()
    torch.testing.assert_close(x.grad, same.grad)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(x).dtype == torch.bfloat16


@pytest.mark.parametrize("base", BASES)
def test_adapters_learn_through_a_narrow_base(tiny_preset, base: str) -> None:
    torch.manual_seed(0)
    model = EvlaModel(load_preset(tiny_preset))
    whole = sum(p.nbytes for p in model.parameters())
    add_lora(model, LoraSettings(rank=2, base=needed(base)), 0)
    layers = [m for m in model.modules() if isinstance(m, NarrowLinear)]
    adapters = {n: p for n, p in model.named_parameters() if "lora_" in n}
    assert len(layers) == len(adapters) // 2
    frozen = sum(p.nbytes for n, p in model.named_parameters() if "lora_" not in n)
    assert frozen < whole
    merged = merged_tensors(model)
    assert {t.dtype for t in merged.values()} == {torch.float32}
    plain = EvlaModel(model.config)
    plain.load_state_dict(merged)  # as it is now: the narrowed weights


@pytest.mark.parametrize("base", BASES)
def test_a_run_over_a_narrow_base(settings, tmp_path, tiny_preset, base: str) -> None:
    start = write_imported(tmp_path / "imported", tiny_preset)
    settings["model"] = {"start": str(start), "action": CONTINUOUS, "cameras": ["primary"]}
    settings["lora"] = {"rank": 4, "base": needed(base)}
    settings["optimizer"].update(steps=40, batch=8)
    settings.update(save_every=20, eval_every=40)
    folder = train(parse_config(settings, "test"))
    losses = [entry["loss"] for entry in read_metrics(folder) if "loss" in entry]
    assert sum(losses[-5:]) / 5 < 0.7 * losses[0]
    made = load_checkpoint(folder / "last").model.state_dict()
    settings["optimizer"]["steps"] = 41
    train(parse_config(settings, "test"), resume=True)  # the narrow weights are in the state
    again = load_checkpoint(folder / "last").model.state_dict()
    name = "language_model.body.layers.0.mlp.up_proj.weight"
    moved = (again[name] - made[name]).abs().max()
    assert 0 < moved < 0.02  # one step of adapters; narrowed anew it would be off by a level


def test_without_its_library_nf4_is_one_sentence(tiny_preset, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    monkeypatch.setitem(sys.modules, "bitsandbytes.functional", None)
    with pytest.raises(TrainingError, match=r"needs bitsandbytes: pip install 'evla_ros\[nf4\]'"):
        quantize_nf4(torch.zeros(4, 64))


def test_narrow_without_adapters_has_no_effect(settings) -> None:
    settings["lora"] = {"base": "nf4"}
    with pytest.raises(TrainingError, match=r"lora\.base: no effect while lora\.rank is 0"):
        train(parse_config(settings, "test"))
