# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A projector from a file of its own: safetensors, or the `.pt` of a Prismatic run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from evla_ros.errors import shown
from evla_ros.model.errors import CheckpointError
from evla_ros.model.from_parts.weight_files import read_weights
from evla_ros.model.import_prismatic import read_prismatic
from evla_ros.model.stored import Stored, load_weights_only, stored_pickle

_LAYERS = ("0", "2", "4")


def open_projector(path: Path) -> dict[str, Stored]:
    """Return the tensors `<layer>.weight` and `<layer>.bias` of a projector's two or three layers.

    Raises:
        CheckpointError: the file holds something else.
    """
    if path.suffix == ".pt" and _is_prismatic(path):
        modules = read_prismatic(path, needed=("projector",))
        found = {
            key: Stored.of(t, f"{shown(path)}: {key}") for key, t in modules["projector"].items()
        }
    elif path.suffix == ".pt":
        found = stored_pickle(path)
    else:
        found, _ = read_weights(path)
    ours = {key.removeprefix("projector."): tensor for key, tensor in found.items()}
    layers = [name for name in _LAYERS if f"{name}.weight" in ours]
    expected = {f"{name}.{kind}" for name in layers for kind in ("weight", "bias")}
    if layers not in (["0", "2"], ["0", "2", "4"]) or set(ours) != expected:
        raise CheckpointError(
            f"{shown(path)}: no projector: expected weight and bias of projector.0, .2 (and .4), "
            f"found {', '.join(sorted(ours)[:4]) or 'nothing'}"
        )
    return ours


def _is_prismatic(path: Path) -> bool:
    payload = load_weights_only(path)
    return isinstance(payload, Mapping) and "model" in payload
