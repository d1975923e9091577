# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An invented mixture for the benchmark: nested actions, and pictures of the published sizes."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from evla_ros.data.episode import Episode, rlds_flags
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.rlds.features import (
    DatasetFeatures,
    jpeg_image,
    metadata_features,
    scalar,
    tensor,
    text,
)
from evla_ros.data.rlds.folder import FolderExtras, WriteRules, write_folder
from evla_ros.data.rlds.staging import stage_episode, staged_episodes

EPISODES, STEPS, PICTURES = 6, 40, 8
# Dataset -> camera, its height and width, and a gripper of one number or a scalar.
_SETS = {
    "fractal20220817_data": ("image", 256, 320, True),
    "roboturk": ("front_rgb", 480, 640, True),
    "viola": ("agentview_rgb", 224, 224, False),
}
_LANGUAGE = "natural_language_instruction"


def write_mixture(root: Path) -> None:
    """Write each dataset below `root`."""
    for name in _SETS:
        _write(root, name)


def _write(root: Path, name: str) -> None:
    camera, height, width, vector = _SETS[name]
    flags = {key: scalar("bool") for key in ("is_first", "is_last", "is_terminal")}
    numbers = {key: scalar("float32") for key in ("reward", "discount")}
    grip = tensor((1,)) if vector else scalar("float32")
    state = {"fractal20220817_data": ("base_pose_tool_reached", "gripper_closed")}.get(name)
    states = dict(zip(state, (7, 1), strict=True)) if state else {}
    if name == "viola":
        states = {"joint_states": 7, "gripper_states": 1}
    features = DatasetFeatures(
        {
            **flags,
            **numbers,
            f"observation/{camera}": jpeg_image(height, width),
            f"observation/{_LANGUAGE}": text(),
            **{f"observation/{key}": tensor((size,)) for key, size in states.items()},
            "action/world_vector": tensor((3,)),
            "action/rotation_delta": tensor((3,)),
            "action/gripper_closedness_action": grip,
        },
        metadata_features(),
    )
    ids = [f"{name}-{index}" for index in range(EPISODES)]
    with tempfile.TemporaryDirectory() as staging:
        for index, key in enumerate(ids):
            rng = np.random.default_rng(index)
            columns = dict(rlds_flags(STEPS, terminal=True))
            columns["action/world_vector"] = _noise(rng, 3)
            columns["action/rotation_delta"] = _noise(rng, 3)
            gripper = np.sign(_noise(rng, 1))
            columns["action/gripper_closedness_action"] = gripper if vector else gripper[:, 0]
            words = np.asarray([f"pick the cup number {index}"] * STEPS, dtype=object)
            columns[f"observation/{_LANGUAGE}"] = words
            kinds = [encode_jpeg(_picture(rng, height, width)) for _ in range(PICTURES)]
            frames = [kinds[step % PICTURES] for step in range(STEPS)]
            episode = Episode(
                {camera: frames},
                {key: _noise(rng, size) for key, size in states.items()},
                np.zeros((STEPS, 0), dtype=np.float32),
                [""] * STEPS,
                columns,
                {"episode_id": key, "success": True},
            )
            stage_episode(Path(staging), episode, features)
        staged = staged_episodes(Path(staging), features)
        rules = WriteRules("0.1.0", assignment={"train": ids})
        write_folder(root, name, features, staged, FolderExtras(), rules)


def _noise(rng: np.random.Generator, size: int) -> np.ndarray:
    return rng.normal(0, 0.02, (STEPS, size)).astype(np.float32)


def _picture(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """Return a smooth picture with mild noise, as a camera gives."""
    rows, columns = np.mgrid[0:height, 0:width]
    phase = rng.uniform(0, 6, 3)
    waves = [np.sin(rows / 23 + p) + np.cos(columns / 31 - p) for p in phase]
    noise = rng.normal(0, 3, (height, width, 3))
    return np.clip(120 + 45 * np.stack(waves, axis=-1) + noise, 0, 255).astype(np.uint8)
