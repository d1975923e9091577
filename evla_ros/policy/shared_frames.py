# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images in memory that two processes share, laid out one after the other."""

from __future__ import annotations

import mmap
import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.policy.errors import PolicyError

# Address space only; pages are taken when they are written.
CAPACITY_BYTES = 256 * 2**20
_ALIGN = 64
Image = npt.NDArray[np.uint8]
Placed = Sequence[Any]  # name, height, width, offset


def new_shared_file() -> int:
    """Return the file descriptor of new memory without a name; it goes when nobody holds it."""
    descriptor = os.memfd_create("evla_frames")
    os.ftruncate(descriptor, CAPACITY_BYTES)
    return descriptor


class SharedFrames:
    """One process' view of the shared memory.

    The writer must wait until the reader is done before it writes again.
    """

    def __init__(self, descriptor: int) -> None:
        """Map the memory behind a file descriptor that `new_shared_file` made."""
        self._map = mmap.mmap(descriptor, CAPACITY_BYTES)

    def write(self, images: Mapping[str, Image]) -> list[Placed]:
        """Copy images into the memory.

        Args:
            images: name -> [height, width, 3] uint8.

        Returns:
            Where each image lies: name, height, width and offset in bytes.

        Raises:
            PolicyError: they need more than CAPACITY_BYTES.
        """
        placed: list[Placed] = []
        offset = 0
        for name, image in images.items():
            height, width, _ = image.shape
            if offset + image.nbytes > CAPACITY_BYTES:
                raise PolicyError(
                    f"the images need more than {CAPACITY_BYTES >> 20} MiB; lower their resolution"
                )
            np.copyto(self._view(height, width, offset), image)
            placed.append((name, height, width, offset))
            offset += -(-image.nbytes // _ALIGN) * _ALIGN
        return placed

    def read(self, placed: Sequence[Placed]) -> dict[str, Image]:
        """Return the images [height, width, 3] without copying them; valid until the next write."""
        return {name: self._view(h, w, offset) for name, h, w, offset in placed}

    def _view(self, height: int, width: int, offset: int) -> Image:
        flat = np.frombuffer(self._map, np.uint8, height * width * 3, offset)
        return flat.reshape(height, width, 3)

    def close(self) -> None:
        """Unmap the memory, unless somebody still uses an image in it."""
        try:
            self._map.close()
        except BufferError:
            return
