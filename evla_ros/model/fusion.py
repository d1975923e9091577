# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Joined projections for inference: one product for q, k and v, one for gate and up."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.models.llama.modeling_llama import rotate_half

from evla_ros.model.evla_model import EvlaModel

_OUTPUTS = ("o_proj", "out_proj", "dense")  # what the families call the output projection


class FusedAttention(nn.Module):
    """The self-attention of a tower or decoder block with its three input products joined."""

    def __init__(self, attention: nn.Module) -> None:
        super().__init__()
        parts = [attention.get_submodule(name) for name in ("q_proj", "k_proj", "v_proj")]
        self.head_dim: int = attention.head_dim
        self.scaling = self.head_dim**-0.5
        self.heads = [part.weight.shape[0] // self.head_dim for part in parts]
        self.num_key_value_groups = self.heads[0] // self.heads[1]
        self.layer_idx = getattr(attention, "layer_idx", 0)
        self.qkv = join_linears(parts)
        self.output = next(
            getattr(attention, name) for name in _OUTPUTS if hasattr(attention, name)
        )

    def forward(
        self,
        hidden_states: Tensor,  # [B, S, hidden]
        position_embeddings: tuple[Tensor, Tensor] | None = None,  # cosines, sines [B, S, rotary]
        attention_mask: Tensor | None = None,
        past_key_values: Any = None,
        **_: Any,
    ) -> tuple[Tensor, None]:
        """What the block expects of its attention: output [B, S, hidden], and no weights."""
        heads = self.qkv(hidden_states).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
        turned, value = heads.split([self.heads[0] + self.heads[1], self.heads[2]], dim=1)
        if position_embeddings is not None:
            turned = rotate(turned, *position_embeddings)
        query, key = turned.split(self.heads[:2], dim=1)
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)
        attended, _weights = sdpa_attention_forward(
            self, query, key, value, attention_mask, scaling=self.scaling, is_causal=False
        )
        return self.output(attended.flatten(2)), None


class FusedGatedMlp(nn.Module):
    """down(activation(gate(x)) * up(x)) with the first two products joined."""

    def __init__(self, mlp: nn.Module) -> None:
        super().__init__()
        self.gate_up = join_linears([mlp.get_submodule("gate_proj"), mlp.get_submodule("up_proj")])
        self.down = mlp.get_submodule("down_proj")
        self.activation = mlp.act_fn

    def forward(self, hidden: Tensor) -> Tensor:
        """[..., hidden] -> [..., hidden]."""
        gate, up = self.gate_up(hidden).chunk(2, dim=-1)
        return self.down(self.activation(gate) * up)


def rotate(heads: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Rotary positions on the first channels of [B, heads, S, head_dim]; the rest stays."""
    cosines, sines = cosines[:, None], sines[:, None]
    width = cosines.shape[-1]
    turning = heads[..., :width]
    turned = turning * cosines + rotate_half(turning) * sines
    return turned if width == heads.shape[-1] else torch.cat([turned, heads[..., width:]], dim=-1)


def join_linears(parts: list[nn.Module]) -> nn.Linear:
    """One linear layer whose outputs are those of the given ones, in order; they are emptied."""
    weight = torch.cat([part.weight.detach() for part in parts])
    joined = nn.Linear(weight.shape[1], weight.shape[0], bias=False, device="meta")
    joined.weight = nn.Parameter(weight, requires_grad=False)
    if parts[0].bias is not None:
        bias = torch.cat([part.bias.detach() for part in parts])
        joined.bias = nn.Parameter(bias, requires_grad=False)
    for part in parts:
        part.weight = nn.Parameter(torch.empty(0))  # free it now, not at the end
    return joined


@torch.no_grad()
def fuse_projections(model: EvlaModel) -> EvlaModel:
    """Join, in place, the input products of every attention and gated MLP. Inference only.

    Each output is the same sum of the same products; the state dict's names change.
    """
    for part in (model.backbones, model.language_model.body):
        for block in [module for module in part.modules() if hasattr(module, "mlp")]:
            for name, child in list(block.named_children()):
                if hasattr(child, "q_proj") and not getattr(child, "qk_layernorm", False):
                    setattr(block, name, FusedAttention(child))
            if hasattr(block.mlp, "gate_proj"):
                block.mlp = FusedGatedMlp(block.mlp)
    return model
