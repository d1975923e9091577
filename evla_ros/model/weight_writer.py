# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write a safetensors file tensor by tensor, hashing as it goes; two tensors are in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from evla_ros.model.errors import CheckpointError
from evla_ros.model.stored import Stored

_NAMES = {
    torch.float64: "F64",
    torch.float32: "F32",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
}
_OTHERS = {torch.uint8: "U8", torch.int8: "I8", torch.int32: "I32", torch.int64: "I64"}


def write_weights(
    tensors: Mapping[str, Stored],
    path: Path,
    dtype: torch.dtype | None = None,
    *,
    metadata: Mapping[str, str] | None = None,
    any_numbers: bool = False,
) -> str:
    """Write a safetensors file.

    Args:
        tensors: what to write, by name.
        path: the new file.
        dtype: what the numbers become; None keeps each tensor's.
        metadata: words for the header of the file.
        any_numbers: write integers, and what is not finite, too: the state of a training.

    Returns:
        The SHA-256 of the file.

    Raises:
        CheckpointError: a tensor is not what its shape said, or holds numbers that are not finite,
            or none of floating point.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    names, at = {**_NAMES, **(_OTHERS if any_numbers else {})}, 0
    for name, stored in tensors.items():
        kind = dtype or stored.dtype
        if kind not in names or not (any_numbers or stored.dtype.is_floating_point):
            raise CheckpointError(
                f"{stored.source}: holds {stored.dtype}; weights are floating-point"
            )
        size = kind.itemsize
        for extent in stored.shape:
            size *= extent
        header[name] = {
            "dtype": names[kind],
            "shape": list(stored.shape),
            "data_offsets": [at, at + size],
        }
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for block in (len(text).to_bytes(8, "little"), text):
            file.write(block)
            digest.update(block)
        with ThreadPoolExecutor(1) as writing, ThreadPoolExecutor(1) as hashing:
            running: list[Future[Any]] = []
            for name, stored in tensors.items():
                # read while the last one is written
                content = _content(name, stored, dtype, check=not any_numbers)
                for work in running:
                    work.result()
                running = [
                    writing.submit(file.write, content),
                    hashing.submit(digest.update, content),
                ]
            for work in running:
                work.result()
    return digest.hexdigest()


def _content(name: str, stored: Stored, dtype: torch.dtype | None, *, check: bool) -> memoryview:
    tensor = stored.read().detach().to(device="cpu", dtype=dtype or stored.dtype).contiguous()
    if tuple(tensor.shape) != stored.shape:
        raise CheckpointError(
            f"{stored.source}: {name} has shape {list(tensor.shape)}, expected {list(stored.shape)}"
        )
    if check:
        check_finite(
            tensor, stored.source if stored.source.endswith(name) else f"{stored.source}: {name}"
        )
    return memoryview(tensor.reshape(-1).view(torch.uint8).numpy())


def check_finite(tensor: Tensor, what: str) -> None:
    """Refuse numbers that are not finite.

    Raises:
        CheckpointError: begins with `what`.
    """
    if tensor.is_meta or not tensor.numel():
        return
    # Both carry NaN on, and are quick in 16 bits, which a sum or isfinite are not.
    if not all(bool(torch.isfinite(extreme)) for extreme in torch.aminmax(tensor)):
        raise CheckpointError(
            f"{what} holds numbers that are not finite; the training diverged, take an "
            "earlier checkpoint"
        )
