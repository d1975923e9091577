# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints of adapters alone: what a run learned, to be loaded on the base that it began with.

`base.json` names the base and the hash of its weights; `adapters.safetensors` holds, by the names
of the network, `X.lora_A` and `X.lora_B` for a layer X, `X.rows` for the action rows of a table X
and whole tensors. A base that was moved is put, or linked, into the folder under the name `base`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from evla_ros.errors import shown
from evla_ros.model.errors import CheckpointError
from evla_ros.model.safe_files import read_safetensors
from evla_ros.reading.text_files import is_file, is_folder, read_json_object

ADAPTERS, BASE, LINK = "adapters.safetensors", "base.json", "base"
DOWN, UP, ROWS = ".lora_A", ".lora_B", ".rows"
_WEIGHTS, _HASHES = "model.safetensors", "checksums.json"


def base_record(base: Path, scale: float) -> str:
    """Return the text of `base.json`.

    Args:
        base: the checkpoint folder that a run began with.
        scale: what the product of each adapter is multiplied with.

    Raises:
        CheckpointError: the base is no whole checkpoint.
    """
    if is_file(base / BASE):
        raise CheckpointError(
            f"{shown(base)} holds adapters alone; adapters are trained on a whole checkpoint: make "
            "one with `evla export`"
        )
    record = {"path": str(base.absolute()), "weights_sha256": _hash(base), "scale": scale}
    return json.dumps(record, indent=2) + "\n"


def find_base(folder: Path) -> tuple[Path, float]:
    """Return the base of a folder of adapters, and their scale.

    Raises:
        CheckpointError: it is not there, or another one.
    """
    record = read_json_object(folder / BASE, CheckpointError)
    path, expected, scale = (record.get(key) for key in ("path", "weights_sha256", "scale"))
    if not isinstance(path, str) or not isinstance(scale, (int, float)):
        raise CheckpointError(f"{folder / BASE}: `path` or `scale` is missing; copy it again")
    base = folder / LINK if is_folder(folder / LINK) else Path(path)
    if not is_folder(base):
        raise CheckpointError(
            f"{shown(folder)} holds adapters on {shown(base)}, which is not here; put or link that "
            f"checkpoint at {shown(folder / LINK)}"
        )
    found = _hash(base)
    if found != expected:
        raise CheckpointError(
            f"the adapters of {shown(folder)} were trained on weights with the SHA-256 "
            f"{str(expected)[:12]}..., {shown(base)} has {found[:12]}...: it is another base; put "
            f"or link the right one at {shown(folder / LINK)}"
        )
    return base, float(scale)


def with_adapters(
    base: Mapping[str, Tensor],
    folder: Path,
    scale: float,
    names: Iterable[str],
    first_row: int,
    dtype: torch.dtype | None = None,
) -> dict[str, Tensor]:
    """Return the weights that base and adapters amount to.

    Args:
        base: the weights of the base.
        folder: holds `adapters.safetensors`.
        scale: of the adapters.
        names: the parameters of the network.
        first_row: the first action token.
        dtype: of the result; None takes the base's.

    Raises:
        CheckpointError: an adapter belongs to no layer of the base.
    """
    own = read_safetensors(folder / ADAPTERS)
    made: dict[str, Tensor] = {}
    for name in names:
        layer = name.removesuffix(".weight")
        tensor = own.pop(name, None)
        kept = base.get(name) if tensor is None else tensor
        if kept is None:
            continue  # the network says what is missing
        wide = kept
        if layer + DOWN in own and layer + UP in own:
            down, up = own.pop(layer + DOWN).float(), own.pop(layer + UP).float()
            _check((up.shape[0], down.shape[1]), kept, layer, folder)
            wide = kept.float() + scale * (up @ down)
        if name + ROWS in own:
            rows = own.pop(name + ROWS)
            _check((len(kept), rows.shape[1]), kept, name, folder)
            wide = wide.clone()
            wide[first_row : first_row + len(rows)] = rows.to(wide.dtype)
        made[name] = wide.to(dtype or _dtype(base))
    if own:
        raise CheckpointError(f"{folder / ADAPTERS}: {min(own)} belongs to no layer of the network")
    return made


def _check(shape: tuple[int, ...], kept: Tensor, name: str, folder: Path) -> None:
    if shape != tuple(kept.shape):
        raise CheckpointError(
            f"{folder / ADAPTERS}: {name} is made for {list(shape)}, the base has "
            f"{list(kept.shape)}"
        )


def _dtype(base: Mapping[str, Tensor]) -> torch.dtype:
    return base["language_model.body.embed_tokens.weight"].dtype


def _hash(base: Path) -> str:
    recorded: Any = read_json_object(base / _HASHES, CheckpointError).get(_WEIGHTS)
    if not isinstance(recorded, str):
        raise CheckpointError(f"{base / _HASHES} records no hash of {_WEIGHTS}; copy it again")
    return recorded
