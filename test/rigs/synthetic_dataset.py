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
from evla_ros.geometry.delta import apply_delta
from evla_ros.geometry.pose import Pose

Size = tuple[int, int]
SMALL: Size = (24, 32)  # height, width: unequal, so that a swap shows
_START_NS = 1_700_000_000_000_000_000
_TICK_NS = 100_000_000
_AGES = "Age of each stream [s]: camera:primary, camera:wrist, gripper:arm"


def synthetic_features(embodiment: Embodiment, size: Size = SMALL) -> DatasetFeatures:
    """Features of `synthetic_episode`: the embodiment's, a stamp and three ages per step."""
    return features_for_embodiment(
        embodiment,
        size,
        columns={"stamp_ns": scalar("int64"), "age_s": tensor((3,), "float32", _AGES)},
        metadata={"operator": text(), "interventions": scalar("int64"), "skew_s": scalar()},
    )


def synthetic_image(seed: int, place: float, size: Size = SMALL) -> npt.NDArray[np.uint8]:
    """A gradient with mild noise, and a square at `place` (0 left .. 1 right): uint8 [H, W, 3]."""
    height, width = size
    rows, columns = np.mgrid[0:height, 0:width]
    tint = rows * 0 + 37 * seed % 200
    gradient = np.stack([rows * 200 / height, columns * 200 / width, tint], axis=-1)
    noise = np.random.default_rng((seed, round(1e6 * abs(place)))).normal(0, 3, gradient.shape)
    image = np.clip(gradient + noise, 0, 255).astype(np.uint8)
    side = height // 4 + 1
    left = round((width - side) * float(np.clip(place, 0.0, 1.0)))
    image[side : 2 * side, left : left + side] = (250, 20, 40)
    return image


def synthetic_episode(
    index: int,
    embodiment: Embodiment,
    *,
    steps: int = 9,
    success: bool = True,
    size: Size = SMALL,
) -> Episode:
    """Episode number `index`: the state follows the actions exactly, the grippers close once."""
    rng = np.random.default_rng(index)
    action, state = _motion(rng, embodiment, steps)
    stamps = _START_NS + np.arange(steps, dtype=np.int64) * _TICK_NS
    images = {}
    for number, camera in enumerate(embodiment.cameras):
        places = 0.5 + 2.0 * (state[:, 0] - state[0, 0]) + 0.05 * number
        frames = [synthetic_image(index + 5 * number, place, size) for place in places]
        images[f"image_{camera}"] = [encode_jpeg(frame) for frame in frames]
    return Episode(
        images=images,
        observations={"state": state},
        action=action,
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


def _motion(
    rng: np.random.Generator, embodiment: Embodiment, steps: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Return action [T, D] and state [T, P]: smooth random deltas, and the poses they lead to."""
    layout, proprio = action_layout(embodiment), proprio_layout(embodiment)
    action = np.zeros((steps, layout.size))
    state = np.zeros((steps, proprio.size))
    open_until = rng.integers(steps // 3, steps - steps // 4)
    for number, arm in enumerate(embodiment.arms):
        time = np.linspace(0.0, 2 * np.pi, steps)[:, None]
        waves = np.sin(time * rng.uniform(0.5, 2.0, (1, 6)) + rng.uniform(0, 6, (1, 6)))
        deltas = waves * np.repeat([[0.01, 0.03]], 3, axis=1) + rng.normal(0, 5e-4, (steps, 6))
        opening = (np.arange(steps) < open_until).astype(np.float64)
        action[:, 7 * number : 7 * number + 7] = np.column_stack([deltas, opening])
        start = rng.uniform(-0.2, 0.2, 3) + np.array([0.4, 0.0, 0.3])
        poses = [Pose(start, np.array([0.0, 0.0, 0.0, 1.0]))]
        for delta in deltas[:-1]:
            poses.append(apply_delta(poses[-1], delta))
        values = {
            f"{arm.name}_ee_position": np.stack([p.position_m for p in poses]),
            f"{arm.name}_ee_quaternion": np.stack([p.quaternion_xyzw for p in poses]),
            f"{arm.name}_gripper": np.concatenate(([1.0], opening[:-1]))[:, None],
        }
        for feature in proprio.features:
            if feature.name in values:
                state[:, feature.start : feature.stop] = values[feature.name]
    return action.astype(np.float32), state.astype(np.float32)


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
