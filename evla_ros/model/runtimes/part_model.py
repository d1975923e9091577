# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Load the weights of one part of a checkpoint: a tower, or everything but the towers."""

from __future__ import annotations

import torch

from evla_ros.model.building import assign, check_shapes
from evla_ros.model.checkpoint import WEIGHTS, Parts
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.fusion import fuse_projections
from evla_ros.model.runtimes.graphs import DECODER
from evla_ros.model.stored import stored_safetensors

_TABLES = ("language_model.body.embed_tokens.weight", "language_model.head.weight")


def load_part(parts: Parts, part: str, *, fuse: bool) -> EvlaModel:
    """Return the network with the weights of one part in float32; the others are on `meta`.

    The tables of the language model stay memory-mapped in the number format of the file.

    Args:
        parts: the checkpoint.
        part: a tower, or the decoder.
        fuse: join the input products of the blocks, see `fuse_projections`.

    Raises:
        CheckpointError: the weights are damaged or of another architecture.
    """
    path = parts.path / WEIGHTS
    stored = stored_safetensors(path)
    with torch.device("meta"):
        model = EvlaModel(parts.config)
    check_shapes(dict(model.named_parameters()), stored, str(path))
    tower = f"backbones.{part.removeprefix('tower')}."
    for name, tensor in stored.items():
        mine = not name.startswith("backbones.") if part == DECODER else name.startswith(tower)
        if mine:
            read = tensor.read()
            assign(model, name, read if name in _TABLES else read.float())
    if part == DECODER:
        model.language_model.rebuild_buffers(torch.device("cpu"))
    return fuse_projections(model.eval()) if fuse else model.eval()
