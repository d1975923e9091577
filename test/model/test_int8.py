# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Integer layers: exact against written-out arithmetic, and actions that stay within the budget."""

from __future__ import annotations

import copy

import torch
from tiny_model import random_batch, tiny_config, tiny_model
from torch import nn

from evla_ros.model.int8 import Int8Linear, quantize_int8

SAMPLES = 24


@torch.inference_mode()
def test_layer_is_its_arithmetic() -> None:
    linear = nn.Linear(40, 24)
    inputs = torch.randn(2, 5, 40) * torch.tensor([0.01, 1.0, 30.0, 1.0, 1.0])[:, None]
    layer = Int8Linear(linear)
    weight = layer.weight.double() * layer.scale[:, None]
    assert (weight - linear.weight).abs().max() <= layer.scale.max() / 2 + 1e-6
    step = inputs.abs().amax(-1, keepdim=True) / 127
    expected = ((inputs / step).round() * step).double() @ weight.T + linear.bias.double()
    torch.testing.assert_close(layer(inputs).double(), expected, atol=1e-4, rtol=1e-5)


@torch.inference_mode()
def test_zero_rows_stay_finite() -> None:
    layer = Int8Linear(nn.Linear(16, 8))
    torch.testing.assert_close(layer(torch.zeros(3, 16)), layer.bias.expand(3, 8))


def test_actions_of_a_trained_model_stay_within_the_budget() -> None:
    """Tokens agree, or lie within one bin, in 99 % after a model has learned sharp predictions."""
    config = tiny_config(mask="bidirectional", l1_width=64)
    torch.manual_seed(0)
    model = tiny_model(config).train()
    batch = random_batch(config, [6] * SAMPLES)
    targets = torch.randint(100, 156, (SAMPLES, config.action.slots))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(150):
        logits = model.forward_joint(batch).logits
        assert logits is not None
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    model.eval()
    quantised = quantize_int8(copy.deepcopy(model))
    assert not any(isinstance(m, nn.Linear) for m in quantised.backbones.modules())
    with torch.inference_mode():
        before, after = (m.forward_joint(batch).logits for m in (model, quantised))
    assert before is not None
    assert after is not None
    assert (before.argmax(-1) == targets).float().mean() > 0.9
    near = (before.argmax(-1) - after.argmax(-1)).abs() <= 1
    assert near.float().mean() >= 0.99
