# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Faster inference by joining projections: one product for q, k and v, one for gate and up."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.models.llama.modeling_llama import rotate_half

from evla_ros.model.evla_model import EvlaModel

_OUTPUTS = ("o_proj", "out_proj", "dense")  # what the families call the output projection


class FusedAttention(nn.Module):
    """The self-attention of a block with its three input products joined into one."""

    def __init__(self, attention: nn.Module) -> None:
        super().__init__()
        parts = [attention.get_submodule(name) for name in ("q_proj", "k_proj", "v_proj")]
        self.head_dim: int = attention.head_dim
        self.scaling = self.head_dim**-0.5
        self.heads = [part.weight.shape[0] // self.head_dim for part in parts]
        self.num_key_value_groups = self.heads[0] // self.heads[1]
        self.is_causal: bool = getattr(attention, "is_causal", False)  # where there is no mask
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
        """Return what a block expects of its attention: the output [B, S, hidden], no weights."""
        heads = self.qkv(hidden_states).unflatten(-1, (-1, self.head_dim)).transpose(1, 2)
        turned, value = heads.split([self.heads[0] + self.heads[1], self.heads[2]], dim=1)
        if position_embeddings is not None:
            turned = rotate(turned, *position_embeddings)
        query, key = turned.split(self.heads[:2], dim=1)
        if past_key_values is not None:
            key, value = past_key_values.update(key, value, self.layer_idx)
        attended, _weights = sdpa_attention_forward(
            self, query, key, value, attention_mask, scaling=self.scaling
        )
        return self.output(attended.flatten(2)), None


class FusedGatedMlp(nn.Module):
    """A gated MLP, `down(activation(gate(x)) * up(x))`, with its first two products joined."""

    def __init__(self, mlp: nn.Module) -> None:
        super().__init__()
        self.gate_up = join_linears([mlp.get_submodule("gate_proj"), mlp.get_submodule("up_proj")])
        self.down = mlp.get_submodule("down_proj")
        self.activation = mlp.act_fn

    def forward(self, hidden: Tensor) -> Tensor:
        """Map hidden states [..., hidden] to [..., hidden]."""
        gate, up = self.gate_up(hidden).chunk(2, dim=-1)
        return self.down(self.activation(gate) * up)


def rotate(heads: Tensor, cosines: Tensor, sines: Tensor) -> Tensor:
    """Apply rotary positions to the first channels of query or key heads; the others stay.

    Args:
        heads: [B, heads, columns, head_dim].
        cosines: [B, columns, rotary channels].
        sines: sines of the same shape.
    """
    cosines, sines = cosines[:, None], sines[:, None]
    width = cosines.shape[-1]
    turning = heads[..., :width]
    turned = turning * cosines + rotate_half(turning) * sines
    return turned if width == heads.shape[-1] else torch.cat([turned, heads[..., width:]], dim=-1)


def join_linears(parts: list[nn.Module]) -> nn.Linear:
    """Return one linear layer that gives the outputs of several, in their order.

    The given layers are emptied to free their memory.
    """
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
    """Join the input products of every attention and gated MLP, in place; for inference only.

    Each output is the same sum of the same products. The names in the state dict change.
    """
    for part in (model.backbones, model.language_model.body):
        for block in [module for module in part.modules() if hasattr(module, "mlp")]:
            for name, child in list(block.named_children()):
                if hasattr(child, "q_proj") and not _norms_queries(child):
                    setattr(block, name, FusedAttention(child))
            if hasattr(block.mlp, "gate_proj"):
                block.mlp = FusedGatedMlp(block.mlp)
    return model


def _norms_queries(attention: nn.Module) -> bool:
    """Return whether queries and keys pass a norm (Qwen3, some Phi), which cannot be joined."""
    return hasattr(attention, "q_norm") or bool(getattr(attention, "qk_layernorm", False))
