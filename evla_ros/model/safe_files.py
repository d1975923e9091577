# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read and write safetensors, and hash files; every failure is a `CheckpointError`."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from evla_ros.errors import shorten, shown
from evla_ros.model.errors import CheckpointError
from evla_ros.reading.text_files import regular_file

_BLOCK_BYTES = 1 << 22


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Return all tensors of a safetensors file, memory-mapped.

    Raises:
        CheckpointError: the file is missing, no regular file, or damaged.
    """
    problem = regular_file(path)
    if problem:
        raise CheckpointError(f"weights {shown(path)} {problem}".replace("does not", "do not"))
    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, RuntimeError, LookupError) as error:
        reason = shorten(str(error))
        raise CheckpointError(
            f"{shown(path)}: not a readable safetensors file: {reason}"
        ) from error


def write_safetensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    """Write a safetensors file with the mode that any new file gets.

    The library makes a file that its owner alone can read (0600), which a robot that runs as
    another user could not load.
    """
    with path.open("wb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, path)
    path.chmod(mode)


def read_header(path: Path) -> dict[str, str]:
    """Return the words that a safetensors file carries beside its tensors.

    Raises:
        CheckpointError: the file is missing, no regular file, or damaged.
    """
    problem = regular_file(path)
    if problem:
        raise CheckpointError(f"weights {shown(path)} {problem}".replace("does not", "do not"))
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError, ValueError, RuntimeError, LookupError) as error:
        reason = shorten(str(error))
        raise CheckpointError(
            f"{shown(path)}: not a readable safetensors file: {reason}"
        ) from error


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal digits.

    Raises:
        CheckpointError: it is missing, or no regular file.
    """
    problem = regular_file(path)
    if problem:
        raise CheckpointError(f"{shown(path)} {problem}")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
