# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A vision tower from a Hugging Face folder or a timm state dict, under our names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isqrt
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn import functional

from evla_ros.errors import shown
from evla_ros.model.config import BackboneConfig
from evla_ros.model.errors import CheckpointError
from evla_ros.model.from_parts.tower_settings import hf_settings, timm_settings
from evla_ros.model.from_parts.weight_files import read_weights
from evla_ros.model.key_map import map_stored_tower
from evla_ros.model.stored import Stored

Kind = Literal["dinov2", "siglip"]
_HF_DINO = {
    "attention.attention.query": "attention.q_proj",
    "attention.attention.key": "attention.k_proj",
    "attention.attention.value": "attention.v_proj",
    "attention.output.dense": "attention.o_proj",
}
_HF_BLOCK = re.compile(r"encoder\.layers?\.(?P<index>\d+)\.(?P<part>.+?)\.(?P<kind>[a-z0-9]+)$")
_HF_UNUSED = re.compile(
    r"(post_layernorm|layernorm|head|classifier)\.|embeddings\.(mask_token|position_ids)$"
)


@dataclass(frozen=True)
class Tower:
    """One tower: its configuration, the side of its patch grid, and its tensors under our names.

    notes: what was done to it beyond renaming.
    """

    config: BackboneConfig
    grid: int
    tensors: dict[str, Stored]
    notes: tuple[str, ...]


def open_tower(path: Path, kind: Kind, known: BackboneConfig | None) -> Tower:
    """Open a tower; its last block, final norm and pooling are left out, as the network does.

    Args:
        path: a folder of Dinov2WithRegisters, Dinov2 or Siglip (with or without its text half), or
            a timm state dict (file or folder).
        kind: which one is expected.
        known: the preset's, for what a timm state dict cannot tell (heads, activation).

    Raises:
        CheckpointError: it is another model, or one that the network cannot hold.
    """
    return tower_of(*read_weights(path), kind, path, known)


def tower_of(
    weights: Mapping[str, Stored],
    settings: Mapping[str, Any],
    kind: Kind,
    path: Path,
    known: BackboneConfig | None,
) -> Tower:
    """Return the tower that tensors and the `config.json` beside them make; see `open_tower`."""
    source = shown(path)
    if "patch_embed.proj.weight" in weights:
        config, notes = timm_settings(weights, kind, known, source)
        tensors = map_stored_tower(weights, source)
    else:
        config = hf_settings(settings, kind, path)
        tensors, notes = _map_hf(weights, config, source), ()
    position = tensors.get("position_embedding")
    if position is None or isqrt(position.shape[0]) ** 2 != position.shape[0]:
        raise CheckpointError(f"{source}: its positional embeddings are no square grid of patches")
    return Tower(config, isqrt(position.shape[0]), tensors, notes)


def resized(tower: Tower, grid: int) -> Tower:
    """Return the tower with its positional embeddings resampled to another grid of patches.

    Bicubic in float32, antialiased where there are registers: what each family does itself when it
    gets pictures of another size.
    """
    if grid == tower.grid:
        return tower
    old = tower.tensors["position_embedding"]
    width = old.shape[1]
    antialias = tower.config.register_tokens > 0

    def resample(table: Tensor) -> Tensor:
        picture = table.float().T.reshape(1, width, tower.grid, tower.grid)
        picture = functional.interpolate(
            picture, (grid, grid), mode="bicubic", align_corners=False, antialias=antialias
        )
        return picture.reshape(width, grid * grid).T.to(table.dtype)

    changed = {"position_embedding": old.then(resample, grid * grid, width)}
    note = f"positional embeddings resampled from {tower.grid} x {tower.grid} to {grid} x {grid}"
    return Tower(tower.config, grid, tower.tensors | changed, (*tower.notes, note))


def _map_hf(
    weights: Mapping[str, Stored], config: BackboneConfig, source: str
) -> dict[str, Stored]:
    """Rename the tensors of a Hugging Face tower; the text half of a Siglip is left out."""
    prefix = "vision_model." if any(key.startswith("vision_model.") for key in weights) else ""
    ours: dict[str, Stored] = {}
    rest: dict[str, Stored] = {}
    for full, tensor in weights.items():
        key = full.removeprefix("dinov2_with_registers.").removeprefix("dinov2.")
        if not key.startswith(prefix):
            continue
        key = key.removeprefix(prefix)
        block = _HF_BLOCK.match(key)
        if block:
            if int(block["index"]) < config.depth - 1:
                part = _HF_DINO.get(block["part"], block["part"])
                ours[f"blocks.{block['index']}.{part}.{block['kind']}"] = tensor
        elif key.startswith("embeddings.") and not _HF_UNUSED.match(key):
            rest[key.removeprefix("embeddings.")] = tensor
        elif not _HF_UNUSED.match(key):
            raise CheckpointError(f"{source}: unknown key {full!r} in a {config.kind} tower")
    embed = _dino_embeddings if config.kind == "dinov2" else _siglip_embeddings
    try:
        return ours | embed(rest)
    except KeyError as error:
        raise CheckpointError(f"{source}: lacks embeddings.{error.args[0]}") from error


def _siglip_embeddings(found: Mapping[str, Stored]) -> dict[str, Stored]:
    return {
        "patch_embedding.weight": found["patch_embedding.weight"],
        "patch_embedding.bias": found["patch_embedding.bias"],
        "position_embedding": found["position_embedding.weight"],
    }


def _dino_embeddings(found: Mapping[str, Stored]) -> dict[str, Stored]:
    """The class token carries the position of its own that Dinov2 adds to it at every forward."""
    table, token = found["position_embeddings"], found["cls_token"]
    registers = found.get("register_tokens")
    count = 0 if registers is None else registers.shape[1]

    def prefix() -> Tensor:
        first = token.read()[0] + table.read()[0, :1].to(token.dtype)
        return first if registers is None else torch.cat([first, registers.read()[0]])

    width = table.shape[2]
    return {
        "patch_embedding.weight": found["patch_embeddings.projection.weight"],
        "patch_embedding.bias": found["patch_embeddings.projection.bias"],
        "position_embedding": table.then(lambda t: t[0, 1:], table.shape[1] - 1, width),
        "prefix": Stored((1 + count, width), token.dtype, prefix, token.source),
    }
