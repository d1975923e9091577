# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tensors that lie in a file until they are asked for, so that one at a time is in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from evla_ros.errors import shorten, shown
from evla_ros.model.errors import CheckpointError
from evla_ros.reading.text_files import regular_file

_DTYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
}


@dataclass(frozen=True)
class Stored:
    """A tensor of known shape that `read` makes anew at every call.

    Attributes:
        shape: of the tensor.
        dtype: of its numbers, as stored.
        read: returns it.
        source: the file and the name in it, for messages.
    """

    shape: tuple[int, ...]
    dtype: torch.dtype
    read: Callable[[], Tensor]
    source: str

    @classmethod
    def of(cls, tensor: Tensor, source: str = "memory") -> Stored:
        """Return a tensor that is in memory, or memory-mapped, as one of these."""
        return cls(tuple(tensor.shape), tensor.dtype, lambda: tensor, source)

    def then(self, change: Callable[[Tensor], Tensor], *shape: int) -> Stored:
        """Return this tensor changed after reading; `shape` is what the change makes of it."""
        read = self.read
        return Stored(shape, self.dtype, lambda: change(read()), self.source)

    def rows(self, start: int, stop: int) -> Stored:
        """Return the rows from `start` up to, not including, `stop`."""
        return self.then(lambda tensor: tensor[start:stop], stop - start, *self.shape[1:])


def stored_safetensors(path: Path) -> dict[str, Stored]:
    """Return the tensors of a safetensors file by name; only its header is read.

    Raises:
        CheckpointError: the file is missing, damaged, or holds other than floating-point numbers.
    """
    problem = regular_file(path)
    if problem:
        raise CheckpointError(f"weights {shown(path)} {problem}".replace("does not", "do not"))
    found: dict[str, Stored] = {}
    try:
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118
                piece = file.get_slice(name)
                dtype = _DTYPES.get(piece.get_dtype(), torch.int64)
                shape = tuple(piece.get_shape())
                found[name] = Stored(shape, dtype, _reader(path, name), f"{shown(path)}: {name}")
    except (SafetensorError, OSError, ValueError, RuntimeError, LookupError) as error:
        reason = shorten(str(error))
        raise CheckpointError(
            f"{shown(path)}: not a readable safetensors file: {reason}"
        ) from error
    return found


def _reader(path: Path, name: str) -> Callable[[], Tensor]:
    def read() -> Tensor:
        try:
            with safe_open(path, framework="pt") as file:  # the mapping ends with the tensor
                return file.get_tensor(name)
        except (SafetensorError, OSError, ValueError, RuntimeError, LookupError) as error:
            raise CheckpointError(f"{shown(path)}: {name}: {shorten(str(error))}") from error

    return read


def stored_pickle(path: Path) -> dict[str, Stored]:
    """Return the tensors of a flat `.pt`, `.pth` or `.bin`; nothing is unpickled but tensors.

    Raises:
        CheckpointError: the file is missing, damaged, or holds more than named tensors.
    """
    payload = load_weights_only(path)
    if isinstance(payload, Mapping) and isinstance(payload.get("state_dict"), Mapping):
        payload = payload["state_dict"]
    if not isinstance(payload, Mapping) or not all(isinstance(t, Tensor) for t in payload.values()):
        raise CheckpointError(f"{shown(path)}: expected one mapping of names to tensors")
    return {str(key): Stored.of(t, f"{shown(path)}: {key}") for key, t in payload.items()}


def load_weights_only(path: Path) -> object:
    """Return what a torch file holds, memory-mapped; more than tensors and containers is refused.

    Raises:
        CheckpointError: the file is missing, damaged, or would have to be unpickled.
    """
    import pickle

    problem = regular_file(path)
    if problem:
        raise CheckpointError(f"checkpoint {shown(path)} {problem}")
    try:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except pickle.UnpicklingError as error:
        raise CheckpointError(
            f"{shown(path)}: refused: the file holds more than tensors, or is damaged; "
            "ask for a weights-only file"
        ) from error
    except Exception as error:  # damaged files make the unpickler leak errors of all kinds
        raise CheckpointError(
            f"{shown(path)}: not a readable torch checkpoint (truncated or corrupt)"
        ) from error
