# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The statistics of LeRobot's `meta/stats.json`, and those of each episode.

min, max, mean, std (of the population), count and the quantiles 1, 10, 50, 90 and 99 %. Numbers are
taken exactly, over all frames; pictures from a sample of frames, per channel, scaled to 0 .. 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
FloatArray = npt.NDArray[np.float64]
QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}
FRAMES_AN_EPISODE = 10
PIXELS_A_SIDE = 64  # about as many rows and columns of a sampled frame


def number_statistics(values: Array) -> dict[str, FloatArray]:
    """Return the statistics of a column [N] or [N, ...]: arrays of a frame's shape."""
    flat = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
    found = {
        "min": flat.min(axis=0),
        "max": flat.max(axis=0),
        "mean": flat.mean(axis=0),
        "std": flat.std(axis=0),
        "count": np.array([len(flat)], dtype=np.float64),
    }
    quantiles = np.quantile(flat, list(QUANTILES.values()), axis=0)
    return {**found, **dict(zip(QUANTILES, quantiles, strict=True))}


def picture_samples(pictures: Array) -> Array:
    """Return some pixels of pictures [N, H, W, 3] as [M, 3]."""
    rows, columns = (max(1, size // PIXELS_A_SIDE) for size in pictures.shape[1:3])
    return np.ascontiguousarray(pictures[:, ::rows, ::columns]).reshape(-1, 3)


def picture_statistics(samples: Array, frames: int) -> dict[str, FloatArray]:
    """Return the statistics of pixels [M, 3] of that many frames, each [3, 1, 1]."""
    found = number_statistics(samples)
    scaled = {k: (v / 255.0).reshape(3, 1, 1) for k, v in found.items() if k != "count"}
    return {**scaled, "count": np.array([frames], dtype=np.float64)}


def sampled_frames(length: int) -> list[int]:
    """Return which frames of an episode of that length are looked at."""
    most = min(length, FRAMES_AN_EPISODE)
    return sorted({round(place) for place in np.linspace(0, length - 1, most).tolist()})


def as_json(statistics: Mapping[str, Mapping[str, FloatArray]]) -> dict[str, Any]:
    """Return what `meta/stats.json` holds; counts are whole numbers."""
    return {
        name: {
            key: [int(value[0])] if key == "count" else value.tolist()
            for key, value in of_one.items()
        }
        for name, of_one in statistics.items()
    }
