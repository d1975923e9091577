# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network as the pieces that are exported: one graph a vision tower, one for the rest.

The pieces have constant shapes but for the batch and the prompt's length. What follows from the
prompt alone comes in from outside (`prompt_inputs`); ids and positions do not appear in them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from evla_ros.model.backbone import VisionBackbone
from evla_ros.model.config import EvlaConfig
from evla_ros.model.evla_model import EvlaModel

DECODER = "decoder"


def part_names(config: EvlaConfig) -> list[str]:
    """Return the names of a network's graphs: `tower0`, `tower1`, ..., `decoder`."""
    return [*(f"tower{index}" for index in range(len(config.backbones))), DECODER]


def decoder_inputs(config: EvlaConfig) -> list[str]:
    """Return the names of the decoder's inputs, in order."""
    features = [f"features{index}" for index in range(len(config.backbones))]
    proprio = ["proprio"] if config.proprio_dim else []
    return [*features, "text", "mask", "cosines", "sines", *proprio]


def decoder_outputs(config: EvlaConfig) -> list[str]:
    """Return the names of the decoder's outputs, in order: one a head."""
    names = {"tokens": "logits", "l1": "actions"}
    return [names[head] for head in ("tokens", "l1") if head in config.action.heads]


class TowerGraph(nn.Module):
    """Pictures [N, 3, side, side] uint8 to patch features [N, patches, width] of one tower."""

    def __init__(self, backbone: VisionBackbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, images: Tensor) -> Tensor:
        """Return the features."""
        features: Tensor = self.backbone(images.float() / 255)
        return features


class _GivenRotary(nn.Module):
    """Stands where a decoder computes its rotary angles, and returns given ones."""

    given: tuple[Tensor, Tensor]

    def forward(self, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        return self.given


class DecoderGraph(nn.Module):
    """Projector, proprio tokens, decoder and heads of joint decoding."""

    def __init__(self, model: EvlaModel) -> None:
        super().__init__()
        self.model = model
        self.rotary = _GivenRotary()
        slot_inputs = model.slot_inputs().detach().float()  # [K * D + end tokens, hidden]
        self.slot_inputs = nn.Parameter(slot_inputs, requires_grad=False)
        if "tokens" in model.config.action.heads:
            self.action_rows = _action_rows(model)

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs of `decoder_outputs`, [B, K * D, bins] and [B, K, D].

        Call it within `with_given_rotary`.

        Args:
            inputs: those of `decoder_inputs`: features [B * cameras, patches, width] of each
                tower, text [B, T, hidden], mask [B, 1, S, S], cosines and sines [B, S, channels],
                proprio [B, P].
        """
        model, config = self.model, self.model.config
        towers = len(config.backbones)
        text, mask, cosines, sines = inputs[towers : towers + 4]
        self.rotary.given = (cosines, sines)
        patches = model.projector(torch.cat(inputs[:towers], dim=-1))
        patches = patches.reshape(text.shape[0], -1, text.shape[2])
        slots = self.slot_inputs.expand(text.shape[0], -1, -1)
        proprio = [model.encode_proprio(inputs[-1])] if config.proprio_dim else []
        columns = torch.cat([text[:, :1], patches, *proprio, text[:, 1:], slots], dim=1)
        states = model.language_model(columns, mask, None)[:, -len(self.slot_inputs) :]
        states = states[:, : config.action.slots]
        tokens = [self.action_rows(states)] if "tokens" in config.action.heads else []
        actions = [model.l1_head(states)] if "l1" in config.action.heads else []
        return (*tokens, *actions)


def _action_rows(model: EvlaModel) -> nn.Linear:
    """Return the rows of the output table that are action tokens as a layer of their own."""
    language_model, tokenizer = model.language_model, model.action_tokenizer
    rows = slice(tokenizer.first_id, tokenizer.first_id + tokenizer.bins)
    tied = language_model.config.tie_embeddings
    table = language_model.body.get_input_embeddings() if tied else language_model.head
    bias = getattr(table, "bias", None)
    layer = nn.Linear(table.weight.shape[1], tokenizer.bins, bias=bias is not None, device="meta")
    layer.weight = nn.Parameter(table.weight[rows].detach().float(), requires_grad=False)
    if bias is not None:
        layer.bias = nn.Parameter(bias[rows].detach().float(), requires_grad=False)
    return layer


@contextmanager
def with_given_rotary(graph: nn.Module) -> Iterator[None]:
    """Let a decoder's graph take its rotary angles from its inputs, while it is traced or run."""
    if not isinstance(graph, DecoderGraph):
        yield
        return
    body = graph.model.language_model.body
    own, body.rotary_emb = body.rotary_emb, graph.rotary
    try:
        yield
    finally:
        body.rotary_emb = own
