# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tensor files of a saved state: one a rank for a sharded network, in the layout of PyTorch.

Every file says which rows of each tensor it holds, as `torch.distributed.checkpoint` writes it for
safetensors (`DCP_SHARDING_INFO`), so that any number of ranks can read what it needs. Nothing is
pickled. It also says to which save it belongs, because a file left over from another save may have
the same size.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from evla_ros.model.safe_files import read_header, sha256
from evla_ros.model.stored import Stored, stored_safetensors
from evla_ros.model.weight_writer import write_weights
from evla_ros.reading.text_files import parse_json
from evla_ros.training.errors import TrainingError
from evla_ros.training.sharding import local, rows_here

_ROWS, _SAVE = "DCP_SHARDING_INFO", "evla_save"
ALONE = "state.safetensors"


def shard_name(rank: int, ranks: int) -> str:
    """Return the name of a rank's file."""
    return f"shard-{rank + 1:05d}-of-{ranks:05d}.safetensors"


def write_shard(path: Path, tensors: Mapping[str, Tensor], save: str) -> dict[str, Any]:
    """Write the parts of tensors that this rank holds.

    Args:
        path: The new file.
        tensors: By name; a tensor that is not sharded is written as a whole.
        save: The name of this save, the same for all of its files.

    Returns:
        What the list of files says of it: `bytes` and `sha256`.
    """
    parts, offsets = {}, {}
    for name, tensor in tensors.items():
        rows = rows_here(tensor)
        if rows is not None and rows[0] == rows[1]:
            continue  # fewer rows than ranks
        parts[name] = Stored.of(local(tensor.detach()))
        start = [rows[0] if rows else 0, *[0] * (tensor.dim() - 1)] if tensor.dim() else []
        offsets[name] = {"saved_offsets": start}
    metadata = {"format": "pt", "DCP_VERSION": "1.0", _ROWS: json.dumps(offsets), _SAVE: save}
    digest = write_weights(parts, path, metadata=metadata, any_numbers=True)
    return {"bytes": path.stat().st_size, "sha256": digest}


def check_files(folder: Path, listed: Mapping[str, Any], save: str, share: slice) -> None:
    """Compare the tensor files of a state with the list that was saved with them.

    Args:
        folder: The state.
        listed: File name -> `bytes` and `sha256`.
        save: The name of the save that they belong to.
        share: The files whose content this rank reads; names and sizes of all are compared.

    Raises:
        TrainingError: Names the first file that is missing, too many, of another save, or changed.
    """
    fix = "copy the state again, or take away this folder and start anew from the checkpoint `last`"
    for extra in sorted(folder.glob("*.safetensors")):
        if extra.name not in listed:
            raise TrainingError(f"{extra} belongs to another save: state.json does not list it")
    for name, entry in listed.items():
        file = folder / name
        if Path(name).name != name or not file.is_file():
            raise TrainingError(f"{folder} lacks {name!r}, which its state.json lists; {fix}")
        if file.stat().st_size != entry["bytes"]:
            found = f"{file.stat().st_size} bytes, state.json says {entry['bytes']}"
            raise TrainingError(f"{file} has {found} (cut off, or of another save); {fix}")
        if read_header(file).get(_SAVE) != save:
            raise TrainingError(f"{file} is of another save than its state.json; {fix}")
    for name in sorted(listed)[share]:
        if sha256(folder / name) != listed[name]["sha256"]:
            raise TrainingError(f"{folder / name} differs from its recorded hash; {fix}")


@dataclass(frozen=True)
class _Piece:
    start: int
    stored: Stored


class StateReader:
    """Finds the rows of a tensor in the files of a state."""

    def __init__(self, folder: Path, files: Sequence[str]) -> None:
        self._folder = folder
        self._pieces: dict[str, list[_Piece]] = {}
        for file in files:
            rows = read_header(folder / file).get(_ROWS, "{}")
            offsets = parse_json(rows, f"{folder / file}: {_ROWS}", TrainingError)
            for name, stored in stored_safetensors(folder / file).items():
                start = offsets.get(name, {}).get("saved_offsets") or [0]
                self._pieces.setdefault(name, []).append(_Piece(int(start[0]), stored))

    @property
    def names(self) -> list[str]:
        """The names of the tensors."""
        return list(self._pieces)

    def shape(self, name: str) -> tuple[int, ...]:
        """Return the shape of a whole tensor."""
        pieces = self._pieces[name]
        shape = pieces[0].stored.shape
        if not shape:
            return shape
        return (max(piece.start + piece.stored.shape[0] for piece in pieces), *shape[1:])

    @torch.no_grad()
    def fill(self, name: str, target: Tensor) -> None:
        """Copy a tensor, or the rows of it that this rank holds, into `target`.

        Raises:
            TrainingError: The state lacks the tensor, rows of it, or has another shape.
        """
        if name not in self._pieces:
            raise TrainingError(f"{self._folder} does not hold {name!r}; {_OTHER}")
        if self.shape(name) != tuple(target.shape):
            raise TrainingError(
                f"{self._folder}: {name!r} has shape {list(self.shape(name))}, this network "
                f"{list(target.shape)}; {_OTHER}"
            )
        here = local(target)
        if not target.dim():
            here.copy_(self._pieces[name][0].stored.read())
            return
        first, last = rows_here(target) or (0, target.shape[0])
        filled = 0
        for piece in self._pieces[name]:
            start = max(first, piece.start)
            stop = min(last, piece.start + piece.stored.shape[0])
            if start < stop:
                rows = piece.stored.rows(start - piece.start, stop - piece.start).read()
                here[start - first : stop - first].copy_(rows)
                filled += stop - start
        if filled != last - first:
            raise TrainingError(f"{self._folder} lacks rows of {name!r}; copy the state again")


_OTHER = "the state does not fit this configuration, resume with the one it began with"
