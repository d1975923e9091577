# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A step of a dataset as what the robot's sensors sent then, from its images and its proprio."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.alignment.observation import BaseState, MovingState
from evla_ros.data.robot_snapshot import RobotSnapshot
from evla_ros.embodiment import Embodiment, proprio_layout
from evla_ros.geometry.pose import Pose
from evla_ros.training.errors import TrainingDataError, TrainingError

if TYPE_CHECKING:
    from evla_ros.training.samples.standardize import StandardEpisode

Float = npt.NDArray[np.float64]


def snapshot_of(episode: StandardEpisode, step: int, embodiment: Embodiment) -> RobotSnapshot:
    """Return what the robot's sensors sent at a step of an episode.

    Raises:
        TrainingDataError: The episode lacks something that the live node waits for.
    """
    data = episode.episode
    missing = [name for name in embodiment.cameras if name not in episode.cameras]
    if missing or episode.proprio is None:
        lacks = f"camera {missing[0]!r}" if missing else "`state`"
        raise TrainingDataError(f"{data.episode_id} lacks {lacks}, which the live node waits for")
    images: dict[str, Any] = {}
    for name in embodiment.cameras:
        key = episode.cameras[name]  # a stored file is handed on as it is: nothing is lost
        stored = data.images.get(key)
        images[name] = data.image(key, step) if stored is None else bytes(stored[step])
    state = np.asarray(episode.proprio[step], dtype=np.float64)
    arms, moving = _state_parts(state, embodiment), _moving_state(state, embodiment)
    return RobotSnapshot(*arms, images, str(data.instructions[step]), moving)


def _state_parts(
    state: Float, embodiment: Embodiment
) -> tuple[dict[str, Pose], dict[str, float], dict[str, float]]:
    layout = proprio_layout(embodiment)
    if "ee_pose" not in embodiment.proprio:
        raise TrainingError(
            f"the proprio of {embodiment.name!r} has no ee_pose; its frames cannot be replayed"
        )
    poses: dict[str, Pose] = {}
    openings: dict[str, float] = {}
    joints: dict[str, float] = {}
    for arm in embodiment.arms:
        position = state[layout.slice_of(f"{arm.name}_ee_position")]
        poses[arm.name] = Pose(position, state[layout.slice_of(f"{arm.name}_ee_quaternion")])
        openings[arm.name] = 1.0
        if "gripper" in embodiment.proprio:
            openings[arm.name] = float(state[layout.slice_of(f"{arm.name}_gripper")][0])
        if "joint_positions" in embodiment.proprio:
            values = state[layout.slice_of(f"{arm.name}_joints")].tolist()
            joints.update(zip(arm.joints, values, strict=True))
    return poses, openings, joints


def _moving_state(state: Float, embodiment: Embodiment) -> MovingState:
    """Return base and axes; what proprio leaves out stands still, an axis amid its range."""
    layout, has = proprio_layout(embodiment), embodiment.proprio
    base, axes = None, {a.name: 0.5 * (a.limits.min + a.limits.max) for a in embodiment.axes}
    if embodiment.base is not None:
        velocity = place = np.zeros(3)
        if "base_velocity" in has:
            linear, angular = (layout.slice_of(f"base_{one}") for one in ("linear", "angular"))
            velocity = np.concatenate([state[linear], state[angular]])
        if "base_pose" in has:
            position, heading = (layout.slice_of(f"base_{one}") for one in ("position", "heading"))
            place = np.concatenate([state[position], state[heading]])
        x, y, yaw = place.tolist()
        base = BaseState(Pose.from_xyz_rpy([x, y, 0.0], [0.0, 0.0, yaw]), velocity)
    if "axes" in has:
        axes = {name: float(state[layout.slice_of(f"{name}_axis")][0]) for name in axes}
    return MovingState(base, axes)
