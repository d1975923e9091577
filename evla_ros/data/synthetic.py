# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Made-up episodes of any embodiment and size for benchmarks and tests; repeatable."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.episode import Episode, rlds_flags
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.rlds.features import (
    DatasetFeatures,
    features_for_embodiment,
    scalar,
    tensor,
    text,
)
from evla_ros.data.rlds.folder import WriteReport
from evla_ros.data.rlds.writer import DatasetWriter
from evla_ros.embodiment import Embodiment, action_layout, proprio_layout

Size = tuple[int, int]
SMALL: Size = (24, 32)  # height, width: unequal, so that a swap shows
_START_NS = 1_700_000_000_000_000_000
_TICK_NS = 100_000_000


def synthetic_features(embodiment: Embodiment, size: Size = SMALL) -> DatasetFeatures:
    """Features of `synthetic_episode`: the embodiment's, a stamp and three ages per step."""
    return features_for_embodiment(
        embodiment,
        size,
        columns={"stamp_ns": scalar("int64"), "age_s": tensor((3,), "float32", "per stream")},
        metadata={"operator": text(), "interventions": scalar("int64"), "skew_s": scalar()},
    )


def synthetic_image(seed: int, step: int, size: Size = SMALL) -> npt.NDArray[np.uint8]:
    """A gradient with mild noise and a square that moves with the step: uint8 [H, W, 3]."""
    height, width = size
    rows, columns = np.mgrid[0:height, 0:width]
    gradient = np.stack(
        [rows * 200 / height, columns * 200 / width, rows * 0 + 11 * seed % 200], -1
    )
    noise = np.random.default_rng((seed, step)).normal(scale=3.0, size=gradient.shape)
    image = np.clip(gradient + noise, 0, 255).astype(np.uint8)
    side = height // 5 + 1
    left = (3 * step) % (width - side)
    image[side : 2 * side, left : left + side] = (250, 20, (40 * seed) % 256)
    return image


def synthetic_episode(
    index: int,
    embodiment: Embodiment,
    *,
    steps: int = 9,
    success: bool = True,
    size: Size = SMALL,
) -> Episode:
    """Episode number `index`: smooth random motion, grippers that close once."""
    rng = np.random.default_rng(index)
    layout, proprio = action_layout(embodiment), proprio_layout(embodiment)
    action = np.cumsum(rng.normal(scale=0.002, size=(steps, layout.size)), axis=0)
    action[:, list(layout.gripper_indices)] = (np.arange(steps) <= steps // 2)[:, None]
    state = rng.normal(size=(1, proprio.size)) + np.cumsum(
        rng.normal(scale=0.01, size=(steps, proprio.size)), axis=0
    )
    stamps = _START_NS + np.arange(steps, dtype=np.int64) * _TICK_NS
    return Episode(
        images={
            f"image_{camera}": [
                encode_jpeg(synthetic_image(index + 5 * n, t, size)) for t in range(steps)
            ]
            for n, camera in enumerate(embodiment.cameras)
        },
        observations={"state": state.astype(np.float32)},
        action=action.astype(np.float32),
        instructions=[f"put the block in bowl {index % 3}, très gently"] * steps,
        columns=rlds_flags(steps, terminal=success, reward=float(success))
        | {"stamp_ns": stamps, "age_s": rng.uniform(0, 0.05, (steps, 3)).astype(np.float32)},
        metadata={
            "episode_id": f"session/episode_{index:03d}",
            "success": success,
            "operator": "Zoë",
            "interventions": -index,
            "skew_s": 0.5,
        },
    )


def write_synthetic(
    root: Path,
    episodes: Iterable[Episode],
    embodiment: Embodiment,
    *,
    name: str = "my_robot",
    size: Size = SMALL,
    **options: Any,
) -> WriteReport:
    """Write the episodes as dataset `name`; `options` go to DatasetWriter."""
    with DatasetWriter(
        root,
        name,
        synthetic_features(embodiment, size),
        embodiment_text=embodiment.text,
        action_layout=action_layout(embodiment),
        **options,
    ) as writer:
        for episode in episodes:
            writer.add(episode)
    return writer.report
