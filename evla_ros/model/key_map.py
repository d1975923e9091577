# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Published tensor names (Prismatic, EVLA, OpenVLA; timm towers) to ours, and sizes read from shapes."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from evla_ros.model.errors import CheckpointError

_DINO = {
    "norm1": "norm1",
    "norm2": "norm2",
    "attn.proj": "attention.o_proj",
    "ls1.gamma": "layer_scale1.lambda1",
    "ls2.gamma": "layer_scale2.lambda1",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
_SIGLIP = {
    "norm1": "layer_norm1",
    "norm2": "layer_norm2",
    "attn.proj": "self_attn.out_proj",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
_DINO_QKV, _SIGLIP_QKV = "attention", "self_attn"
_UNUSED = re.compile(r"(norm\.|attn_pool\.)")  # after the second-to-last block


def tower_depth(tower: Mapping[str, Tensor], source: str) -> int:
    """Number of blocks of a timm tower."""
    indices = {int(m.group(1)) for key in tower if (m := re.match(r"blocks\.(\d+)\.", key))}
    if not indices:
        raise CheckpointError(
            f"{source}: a vision tower without blocks; expected keys blocks.0.* ..."
        )
    return max(indices) + 1


def map_tower(tower: Mapping[str, Tensor], index: int, source: str) -> dict[str, Tensor]:
    """Rename one timm tower to `backbones.<index>.*`; the last block, norm and pooling are dropped."""
    last = tower_depth(tower, source) - 1
    prefix = f"backbones.{index}."
    is_dino = "cls_token" in tower
    names, qkv = (_DINO, _DINO_QKV) if is_dino else (_SIGLIP, _SIGLIP_QKV)
    ours: dict[str, Tensor] = {}
    for key, tensor in tower.items():
        block = re.match(r"blocks\.(\d+)\.(.+?)(\.weight|\.bias)?$", key)
        if _UNUSED.match(key) or (block and int(block.group(1)) == last):
            continue
        if block:
            number, part, kind = block.group(1), block.group(2), block.group(3) or ""
            base = f"{prefix}blocks.{number}."
            if part == "attn.qkv":
                for name, piece in zip("qkv", tensor.chunk(3), strict=True):
                    ours[f"{base}{qkv}.{name}_proj{kind}"] = piece
            elif part in names:
                ours[f"{base}{names[part]}{kind}"] = tensor
            else:
                raise CheckpointError(f"{source}: unknown key {key!r} in a vision tower")
        elif key.startswith("patch_embed.proj."):
            ours[prefix + key.replace("patch_embed.proj", "patch_embedding")] = tensor
        elif key == "pos_embed":
            ours[prefix + "position_embedding"] = tensor[0]
        elif key not in {"cls_token", "reg_token"}:
            raise CheckpointError(f"{source}: unknown key {key!r} in a vision tower")
    if is_dino:
        parts = [tower["cls_token"][0]] + ([tower["reg_token"][0]] if "reg_token" in tower else [])
        ours[prefix + "prefix"] = torch.cat(parts)
    return ours


def map_language_model(llm: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """Rename `model.*` and `lm_head.weight`; an output table equal to the embeddings is tied."""
    ours: dict[str, Tensor] = {}
    for key, tensor in llm.items():
        if key.startswith("model."):
            ours["language_model.body." + key.removeprefix("model.")] = tensor
        elif key == "lm_head.weight":
            if not is_tied(llm):
                ours["language_model.head.weight"] = tensor
        elif not key.endswith("rotary_emb.inv_freq"):
            raise CheckpointError(f"{source}: unknown key {key!r} in the language model")
    return ours


def is_tied(llm: Mapping[str, Tensor]) -> bool:
    """Whether the output table repeats the embeddings (or is not stored at all)."""
    head, table = llm.get("lm_head.weight"), llm.get("model.embed_tokens.weight")
    if head is None or table is None:
        return True
    if head.is_meta:
        return head is table
    return head.data_ptr() == table.data_ptr() or torch.equal(head, table)
