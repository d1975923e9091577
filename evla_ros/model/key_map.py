# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Published tensor names (Prismatic, EVLA, OpenVLA; timm towers) to ours."""

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
_BLOCK = re.compile(r"blocks\.(?P<index>\d+)\.(?P<part>.+?)(?P<kind>\.weight|\.bias)?$")
_UNUSED = re.compile(r"norm\.|attn_pool\.|cls_token$|reg_token$")  # or handled apart


def tower_depth(tower: Mapping[str, Tensor], source: str) -> int:
    """Number of blocks of a timm tower."""
    indices = {int(m.group(1)) for key in tower if (m := re.match(r"blocks\.(\d+)\.", key))}
    if not indices:
        raise CheckpointError(
            f"{source}: a vision tower without blocks; expected keys blocks.0.* ..."
        )
    return max(indices) + 1


def map_tower(tower: Mapping[str, Tensor], index: int, source: str) -> dict[str, Tensor]:
    """Rename one timm tower to `backbones.<index>.*`.

    The last block, norm and pooling are dropped.
    """
    last = tower_depth(tower, source) - 1
    ours: dict[str, Tensor] = {}
    for key, tensor in tower.items():
        block = _BLOCK.match(key)
        if block and int(block["index"]) < last:
            ours.update(_map_block(block, tensor, "cls_token" in tower, source))
        elif key.startswith("patch_embed.proj."):
            ours[key.replace("patch_embed.proj", "patch_embedding")] = tensor
        elif key == "pos_embed":
            ours["position_embedding"] = tensor[0]
        elif not block and not _UNUSED.match(key):
            raise CheckpointError(f"{source}: unknown key {key!r} in a vision tower")
    if "cls_token" in tower:
        tokens = [tower[name][0] for name in ("cls_token", "reg_token") if name in tower]
        ours["prefix"] = torch.cat(tokens)
    return {f"backbones.{index}.{key}": tensor for key, tensor in ours.items()}


def _map_block(
    block: re.Match[str], tensor: Tensor, is_dino: bool, source: str
) -> dict[str, Tensor]:
    """One tensor of a block; the joint qkv becomes three."""
    base, part, kind = f"blocks.{block['index']}.", block["part"], block["kind"] or ""
    names = _DINO if is_dino else _SIGLIP
    if part == "attn.qkv":
        attention = "attention" if is_dino else "self_attn"
        pieces = zip("qkv", tensor.chunk(3), strict=True)
        return {f"{base}{attention}.{name}_proj{kind}": piece for name, piece in pieces}
    if part not in names:
        raise CheckpointError(f"{source}: unknown key {block.string!r} in a vision tower")
    return {f"{base}{names[part]}{kind}": tensor}


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
