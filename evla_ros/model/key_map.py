# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the tensor names of published weights (Prismatic, EVLA, OpenVLA; timm towers) to ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import isqrt
from typing import Any

import torch
from torch import Tensor

from evla_ros.model.errors import CheckpointError
from evla_ros.model.stored import Stored

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


def tower_depth(tower: Mapping[str, Any], source: str) -> int:
    """Return the number of blocks of a timm tower.

    Raises:
        CheckpointError: it has none.
    """
    indices = {int(m.group(1)) for key in tower if (m := re.match(r"blocks\.(\d+)\.", key))}
    if not indices:
        raise CheckpointError(
            f"{source}: a vision tower without blocks; expected keys blocks.0.* ..."
        )
    return max(indices) + 1


def map_tower(tower: Mapping[str, Tensor], index: int, source: str) -> dict[str, Tensor]:
    """Rename the tensors of one timm tower to `backbones.<index>.*`; see `map_stored_tower`."""
    stored = {key: Stored.of(tensor, source) for key, tensor in tower.items()}
    ours = map_stored_tower(stored, source)
    return {f"backbones.{index}.{key}": tensor.read() for key, tensor in ours.items()}


def map_stored_tower(tower: Mapping[str, Stored], source: str) -> dict[str, Stored]:
    """Rename the tensors of one timm tower to those of our tower.

    The last block, the norm and the pooling are left out, because the network does not use them.

    Raises:
        CheckpointError: a tensor has an unknown name.
    """
    last = tower_depth(tower, source) - 1
    ours: dict[str, Stored] = {}
    for key, tensor in tower.items():
        block = _BLOCK.match(key)
        if block and int(block["index"]) < last:
            ours.update(_map_block(block, tensor, "cls_token" in tower, source))
        elif key.startswith("patch_embed.proj."):
            ours[key.replace("patch_embed.proj", "patch_embedding")] = tensor
        elif not block and key != "pos_embed" and not _UNUSED.match(key):
            raise CheckpointError(f"{source}: unknown key {key!r} in a vision tower")
    return ours | _positions(tower, source)


def _positions(tower: Mapping[str, Stored], source: str) -> dict[str, Stored]:
    """Return positions and prefix tokens; a class token may carry a position of its own."""
    if "pos_embed" not in tower:
        raise CheckpointError(f"{source}: lacks the tensor 'pos_embed'")
    table = tower["pos_embed"]
    _, rows, width = table.shape
    names = [name for name in ("cls_token", "reg_token") if name in tower]
    own = int("cls_token" in tower and isqrt(rows) ** 2 != rows)
    positions = table.then(lambda t: t[0, own:], rows - own, width)
    if not names:
        return {"position_embedding": positions}

    def prefix() -> Tensor:
        tokens = [tower[name].read()[0] for name in names]
        if own:
            tokens[0] = tokens[0] + table.read()[0, :1].to(tokens[0].dtype)
        return torch.cat(tokens)

    count = sum(tower[name].shape[1] for name in names)
    stored = Stored((count, width), tower[names[0]].dtype, prefix, f"{source}: {names[0]}")
    return {"position_embedding": positions, "prefix": stored}


def _map_block(
    block: re.Match[str], tensor: Stored, is_dino: bool, source: str
) -> dict[str, Stored]:
    """Return one tensor of a block under our names; the joint qkv becomes three tensors."""
    base, part, kind = f"blocks.{block['index']}.", block["part"], block["kind"] or ""
    names = _DINO if is_dino else _SIGLIP
    if part == "attn.qkv":
        attention = "attention" if is_dino else "self_attn"
        rows = tensor.shape[0] // 3
        pieces = (tensor.rows(i * rows, (i + 1) * rows) for i in range(3))
        return {
            f"{base}{attention}.{name}_proj{kind}": piece
            for name, piece in zip("qkv", pieces, strict=True)
        }
    if part not in names:
        raise CheckpointError(f"{source}: unknown key {block.string!r} in a vision tower")
    return {f"{base}{names[part]}{kind}": tensor}


def map_language_model(llm: Mapping[str, Tensor], source: str) -> dict[str, Tensor]:
    """Rename `model.*` and `lm_head.weight`; an output table equal to the embeddings is left out.

    Raises:
        CheckpointError: a tensor has an unknown name.
    """
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
    """Return whether the output table repeats the embeddings, or is not stored at all."""
    head, table = llm.get("lm_head.weight"), llm.get("model.embed_tokens.weight")
    if head is None or table is None:
        return True
    if head.is_meta:
        return head is table
    return head.data_ptr() == table.data_ptr() or torch.equal(head, table)
