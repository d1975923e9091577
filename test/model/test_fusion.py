# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joined projections give what the separate ones give, in every family and way of decoding."""

from __future__ import annotations

import copy

import pytest
import torch
from tiny_model import FAMILIES, random_batch, tiny_config, tiny_model
from torch import nn

from evla_ros.model.attention_mask import SlotRule
from evla_ros.model.decode_autoregressive import decode_stepwise
from evla_ros.model.fusion import FusedAttention, FusedGatedMlp, fuse_projections
from evla_ros.model.int8 import quantize_int8

RULES: tuple[SlotRule, ...] = ("causal", "hidden")


def count(model: nn.Module, kind: type[nn.Module]) -> int:
    return sum(isinstance(module, kind) for module in model.modules())


@pytest.mark.parametrize("family", FAMILIES)
@torch.inference_mode()
def test_fused_equals_separate(family: str) -> None:
    config = tiny_config(family, cameras=2, proprio=5, mask="block_prefix_lm")
    model = tiny_model(config)
    fused = fuse_projections(copy.deepcopy(model))
    assert count(fused, FusedAttention) == 2 + 2 + 2  # blocks of both towers, and of the decoder
    assert count(fused, FusedGatedMlp) == (0 if family == "phi" else 2)
    batch = random_batch(config, [9, 4, 14])
    before, after = model.forward_joint(batch), fused.forward_joint(batch)
    for name in ("logits", "actions", "image_states"):
        torch.testing.assert_close(
            getattr(after, name), getattr(before, name), atol=1e-5, rtol=1e-5
        )
    for rule in RULES:
        assert torch.equal(decode_stepwise(fused, batch, rule), decode_stepwise(model, batch, rule))


@torch.inference_mode()
def test_integers_are_the_same_fused_or_not() -> None:
    """An output row has its own scale and a token one scale for all rows: nothing changes."""
    config = tiny_config()
    model = tiny_model(config)
    fused = quantize_int8(fuse_projections(copy.deepcopy(model)))
    separate = quantize_int8(model)
    batch = random_batch(config, [9, 4])
    torch.testing.assert_close(
        fused.forward_joint(batch).logits, separate.forward_joint(batch).logits, atol=1e-5, rtol=0
    )


def test_fusing_holds_no_weight_twice() -> None:
    model = tiny_model(tiny_config())
    before = sum(parameter.numel() for parameter in model.parameters())
    assert sum(parameter.numel() for parameter in fuse_projections(model).parameters()) == before
