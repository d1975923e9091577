# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Small datasets that single tests write themselves."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evla_ros.data.episode import Episode, rlds_flags
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.rlds.features import features_for_embodiment
from evla_ros.data.rlds.writer import DatasetWriter
from evla_ros.embodiment import action_layout, load_embodiment

LENGTH = 8


def two_arm_dataset(root: Path, name: str = "two_arms", episodes: int = 6) -> Path:
    """Write a dataset of `humanoid_upper_body`: 14 numbers, three cameras, 16 proprio numbers."""
    robot = load_embodiment("humanoid_upper_body")
    jpeg = encode_jpeg(np.full((48, 48, 3), 90, dtype=np.uint8))
    layout = action_layout(robot)
    with DatasetWriter(
        root,
        name,
        features_for_embodiment(robot, 48),
        embodiment_text=robot.text,
        action_layout=layout,
    ) as writer:
        for number in range(episodes):
            writer.add(_episode(number, layout.size, jpeg))
    return writer.report.path


def _episode(number: int, size: int, jpeg: bytes) -> Episode:
    random = np.random.default_rng(number)
    action = random.normal(0, 0.01, (LENGTH, size)).astype(np.float32)
    action[:, 6::7] = 1.0
    cameras = ("primary", "left_wrist", "right_wrist")
    return Episode(
        images={f"image_{camera}": [jpeg] * LENGTH for camera in cameras},
        observations={"state": random.normal(0, 0.1, (LENGTH, 16)).astype(np.float32)},
        action=action,
        instructions=["lift the tray with both hands"] * LENGTH,
        columns=dict(rlds_flags(LENGTH, terminal=True)),
        metadata={"episode_id": f"two-{number}", "success": True},
    )
