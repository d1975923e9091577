# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every foreign format offers: columns of numbers, cameras, and episodes one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from evla_ros.errors import EvlaError, shorten

Array = npt.NDArray[Any]
Image = npt.NDArray[np.uint8]


class ForeignError(EvlaError):
    """A foreign dataset or a map file that cannot be used."""


@dataclass(frozen=True)
class ForeignColumn:
    """A column of numbers: its shape in one frame, and a name for each number where known."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    labels: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """How many numbers one frame holds."""
        return int(np.prod(self.shape, dtype=np.int64)) if self.shape else 1

    def line(self) -> str:
        """Return it for people."""
        shape = "x".join(map(str, self.shape)) or "1"
        labels = f" ({shorten(', '.join(self.labels), 120)})" if self.labels else ""
        return f"{self.name}: {shape} {self.dtype}{labels}"


@dataclass(frozen=True)
class ForeignEpisode:
    """One episode of T frames.

    Attributes:
        name: unique in its dataset.
        length: T.
        numbers: returns a column by name, [T, ...]; raises ForeignError.
        pictures: yields T pictures of a camera: encoded bytes, or uint8 [H, W, 3] RGB.
        instructions: T texts; empty where the format has none.
        success: whether it is one; None: the format does not say.
    """

    name: str
    length: int
    numbers: Callable[[str], Array]
    pictures: Callable[[str], Iterator[bytes | Image]]
    instructions: tuple[str, ...] = ()
    success: bool | None = None


class ForeignDataset(Protocol):
    """A dataset of another format."""

    @property
    def where(self) -> str:
        """Where it is, for messages."""

    @property
    def rate_hz(self) -> float | None:
        """Frames a second; None: the format does not say."""

    @property
    def columns(self) -> Mapping[str, ForeignColumn]:
        """The columns of numbers by name."""

    @property
    def cameras(self) -> tuple[str, ...]:
        """The names of the cameras."""

    @property
    def unread(self) -> tuple[str, ...]:
        """Features that are neither, each with the reason."""

    def __len__(self) -> int:
        """How many episodes there are."""

    def episodes(self) -> Iterator[ForeignEpisode]:
        """Yield them in order."""
