# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One episode in memory: columns over T steps, with images encoded until they are used.

The converter creates it, and the RLDS writer and reader store and load it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.errors import EvlaError

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float32]
ImageArray = npt.NDArray[np.uint8]
Scalar = bool | int | float | str


class EpisodeError(EvlaError):
    """An episode whose columns do not fit together."""


@dataclass(frozen=True)
class Step:
    """One step: the observation and the action taken there; `images` are still encoded."""

    index: int
    images: Mapping[str, bytes]
    observations: Mapping[str, Array]
    action: FloatArray  # [D]
    instruction: str
    columns: Mapping[str, Array]


@dataclass(frozen=True)
class Episode:
    """T steps as columns, and scalar metadata. Raises EpisodeError when the lengths differ.

    Attributes:
        images: Observation key (`image_primary`) -> T encoded JPEG or PNG images.
        observations: Observation key -> [T, ...]; `state` [T, P] float32 is the proprioception.
        action: [T, D] float32, not normalised.
        instructions: T texts.
        columns: Further step columns [T, ...]: the RLDS flags (`rlds_flags`), ages, stamps.
        metadata: Scalars; the writer needs `episode_id` (unique in a dataset) and `success`.
    """

    images: Mapping[str, Sequence[bytes]]
    observations: Mapping[str, Array]
    action: FloatArray
    instructions: Sequence[str]
    columns: Mapping[str, Array] = field(default_factory=dict)
    metadata: Mapping[str, Scalar] = field(default_factory=dict)

    def __post_init__(self) -> None:
        expected = len(self.action)
        named: dict[str, Sequence[Any] | Array] = {"instructions": self.instructions}
        for group in (self.images, self.observations, self.columns):
            named.update(group)
        for name, column in named.items():
            if len(column) != expected:
                raise EpisodeError(
                    f"episode column {name!r} has {len(column)} steps but the action has "
                    f"{expected}; every column needs one entry per step"
                )

    def __len__(self) -> int:
        return len(self.action)

    @property
    def instruction(self) -> str:
        """The first step's instruction; empty for an empty episode."""
        return self.instructions[0] if len(self.instructions) else ""

    @property
    def episode_id(self) -> str:
        """The `episode_id` metadata, or an empty string."""
        return str(self.metadata.get("episode_id", ""))

    @property
    def success(self) -> bool:
        """The `success` metadata; an episode without it counts as a success."""
        return bool(self.metadata.get("success", True))

    @property
    def camera_keys(self) -> tuple[str, ...]:
        """Observation keys that hold pictures, encoded or as raw uint8 arrays [T, H, W, 3]."""
        raw = (k for k, v in self.observations.items() if v.dtype == np.uint8 and v.ndim == 4)
        return (*self.images, *raw)

    @property
    def real_cameras(self) -> tuple[str, ...]:
        """The camera keys without placeholders (metadata `has_<key>` False, as BridgeData V2 has).

        When every camera is marked as a placeholder, the flags are ignored and all are returned.
        """
        real = tuple(k for k in self.camera_keys if self.metadata.get(f"has_{k}") is not False)
        return real or self.camera_keys

    def image(self, key: str, index: int) -> ImageArray:
        """Decode the picture of one step: uint8 [H, W, 3], RGB."""
        from evla_ros.data.image_jpeg import decode_rgb

        if key in self.images:
            return decode_rgb(self.images[key][index])
        if key in self.observations:
            return np.asarray(self.observations[key][index], dtype=np.uint8)
        raise EpisodeError(
            f"no camera {key!r} in the episode; cameras: {', '.join(self.camera_keys) or 'none'}"
        )

    def image_into(self, key: str, index: int, out: ImageArray) -> None:
        """Decode the picture of one step into `out`, uint8 [H, W, 3], such as a row of a batch.

        Raises:
            ImageError: The picture has another size.
        """
        from evla_ros.data.image_jpeg import decode_rgb, put_image

        if key in self.images:
            decode_rgb(self.images[key][index], out)
        else:
            put_image(self.image(key, index), out)

    def step(self, index: int) -> Step:
        """Return step `index` (0..T-1); its images stay encoded."""
        return Step(
            index=index,
            images={key: frames[index] for key, frames in self.images.items()},
            observations={key: values[index] for key, values in self.observations.items()},
            action=self.action[index],
            instruction=self.instructions[index],
            columns={key: values[index] for key, values in self.columns.items()},
        )

    def __iter__(self) -> Iterator[Step]:
        return (self.step(index) for index in range(len(self)))


def rlds_flags(length: int, *, terminal: bool, reward: float = 1.0) -> dict[str, Array]:
    """Return the five RLDS columns of an episode.

    Args:
        length: Steps of the episode.
        terminal: The episode ended by itself, as a demonstration does, and was not cut off; it sets
            `is_terminal` on the last step (RLDS, Ramos 2021).
        reward: Reward of the last step; the others have 0. The discount is 1 everywhere.
    """
    if length < 1:
        raise EpisodeError(f"an episode needs at least one step, got {length}")
    last = np.zeros(length, dtype=np.bool_)
    last[-1] = True
    first = np.zeros(length, dtype=np.bool_)
    first[0] = True
    return {
        "reward": np.where(last, np.float32(reward), np.float32(0.0)).astype(np.float32),
        "discount": np.ones(length, dtype=np.float32),
        "is_first": first,
        "is_last": last,
        "is_terminal": last & np.bool_(terminal),
    }
