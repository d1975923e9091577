# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pictures of one camera over the ticks of a bag, at the dataset's size."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from evla_ros.data.alignment.aligner import is_fresh
from evla_ros.data.alignment.stream_buffer import StampedSample
from evla_ros.data.codecs.camera import rgb_from_cdr
from evla_ros.data.convert.gates import Gates
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.image_resize import resize_rgb
from evla_ros.embodiment.streams import Stream
from evla_ros.errors import EvlaError
from evla_ros.units import SECOND_NS

FEW = 0.1  # share of pictures of another size above which the camera changes its size

Size = tuple[int, int]  # height, width [pixels]


@dataclass
class CameraColumn:
    """One camera over N ticks.

    Attributes:
        stream: The camera's stream.
        image_size: (height, width) of the stored pictures [pixels].
        pictures: The picture at each tick as JPEG bytes; empty where there is none.
        levels: The 99th percentile of the pixel values (0 to 255), to recognise black pictures.
        sizes: The (height, width) of the recorded pictures, each with its ticks.
        bad: Ticks whose picture cannot be decoded.
        problem: Why the first of them cannot.
        decode: Decode the pictures; otherwise each counts as good, and as one of its own.
    """

    stream: Stream
    image_size: Size
    pictures: list[bytes] = field(default_factory=list)
    levels: list[float] = field(default_factory=list)
    sizes: dict[Size, list[int]] = field(default_factory=dict)
    bad: int = 0
    problem: str = ""
    decode: bool = True
    _sample_ns: int | None = None  # of the newest picture that was looked at
    _shown_ns: int | None = None  # of the picture at the newest tick

    @property
    def size(self) -> Size | None:
        """The usual size of the recorded pictures."""
        sizes = sorted(self.sizes.items(), key=lambda item: len(item[1]))
        return sizes[-1][0] if sizes else None

    def take(self, sample: StampedSample | None, tick_ns: int, *, complete: bool) -> int | None:
        """Append the picture of a tick.

        In place of one that cannot be decoded stands the one before, while it is fresh.

        Args:
            sample: The newest picture at the tick.
            tick_ns: The time of the tick [ns].
            complete: Whether every stream has a fresh sample.

        Returns:
            The stamp of the picture that the tick has [ns]; None where it has none.
        """
        if not complete or sample is None:
            self._sample_ns = None
            return self._append(b"", np.nan, None)
        if sample.stamp_ns != self._sample_ns:
            self._sample_ns = sample.stamp_ns
            shown = self._decoded(sample)
            if shown is not None:
                return self._append(*shown, sample.stamp_ns)
            self.bad += 1
        if self._shown_ns is None or not self._is_fresh(tick_ns):
            return self._append(b"", np.nan, None)
        self._count_size(self._last_size)
        return self._append(self.pictures[-1], self.levels[-1], self._shown_ns)

    def settle(self, gates: Gates) -> tuple[list[int], list[str]]:
        """Judge the pictures when all are there.

        Returns:
            The ticks that are lost to pictures of another size, and notes about what was dropped.

        Raises:
            GateError: The camera changes its size for more than a few pictures.
            EvlaError: None of its pictures can be decoded.
        """
        name, notes, lost = self.stream.key.name, [], list[int]()
        if self.bad:
            if not self.sizes:
                raise EvlaError(self.problem)
            notes.append(f"{self.stream.key}: {self.bad} picture(s) dropped ({self.problem})")
        if len(self.sizes) > 1:
            usual = self.size
            others = [tick for size, at in self.sizes.items() if size != usual for tick in at]
            shapes = " and ".join(f"{w}x{h}" for h, w in sorted(self.sizes))
            if len(others) > FEW * sum(map(len, self.sizes.values())):
                gates.fail("size", f"camera {name} changes its size between {shapes}")
            else:
                lost = others
                notes.append(f"{self.stream.key}: {len(lost)} odd picture(s) dropped ({shapes})")
        return lost, notes

    def _append(self, picture: bytes, level: float, stamp_ns: int | None) -> int | None:
        self.pictures.append(picture)
        self.levels.append(level)
        self._shown_ns = stamp_ns
        return stamp_ns

    def _is_fresh(self, tick_ns: int) -> bool:
        age_s = self.stream.max_age_s
        tolerance = None if age_s is None else round(age_s * SECOND_NS)
        shown = self._shown_ns or 0
        return is_fresh(StampedSample(shown, shown, None), tick_ns, tolerance)

    def _decoded(self, sample: StampedSample) -> tuple[bytes, float] | None:
        """Return picture and level of a sample, None where it cannot be decoded."""
        if not self.decode:
            self._last_size = (0, 0)
            return str(sample.stamp_ns).encode(), 255.0
        try:
            rgb = rgb_from_cdr(sample.payload, self.stream.type)
        except EvlaError as error:
            self.problem = self.problem or str(error)
            return None
        self._last_size = (rgb.shape[0], rgb.shape[1])
        self._count_size(self._last_size)
        small = resize_rgb(rgb, self.image_size)
        return encode_jpeg(small), float(np.percentile(small[::4, ::4], 99))

    def _count_size(self, size: Size) -> None:
        self.sizes.setdefault(size, []).append(len(self.pictures))
