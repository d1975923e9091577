# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""DROID: velocities of the tool in the base's frame, or in its own; and datasets of that form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from evla_ros.data.open_x.columns import Columns
from evla_ros.data.open_x.dataset import (
    ACTION,
    PAD,
    OpenXDataset,
    cameras,
    observed,
)
from evla_ros.data.open_x.grippers import closedness, settled_opening
from evla_ros.data.open_x.pieces import Column

FloatArray = npt.NDArray[np.float32]
_STILL = 7e-6  # a hundred-thousandth of half the published span from q01 to q99

_VELOCITY = Column("action_dict/cartesian_velocity")
_POSE = observed("cartesian_position")
_OPENING = observed("gripper_position")


def _moving(action: FloatArray) -> npt.NDArray[np.bool_]:
    """Leave out steps at which the operator rested: every motion number is zero."""
    return np.asarray((np.abs(action[:, :-1]) > _STILL).any(axis=1))


def euler_matrix(angles: FloatArray) -> FloatArray:
    """Return rotation matrices [T, 3, 3] = Rz(yaw) Ry(pitch) Rx(roll) of angles [T, 3] [rad]."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(angles).T, np.cos(angles).T
    rows = [
        [cy * cz, sx * sy * cz - cx * sz, cx * sy * cz + sx * sz],
        [cy * sz, sx * sy * sz + cx * cz, cx * sy * sz - sx * cz],
        [-sy, sx * cy, cx * cy],
    ]
    return np.moveaxis(np.asarray(rows, dtype=np.float32), -1, 0)


@dataclass(frozen=True)
class WristVelocity:
    """Velocities of the base's frame in the wrist's: position [3], two rows of the rotation [6]."""

    velocity: Column
    pose: Column

    def __call__(self, columns: Columns) -> FloatArray:
        """Return the numbers, [T, 9]."""
        velocity = self.velocity(columns)
        wrist = euler_matrix(self.pose(columns)[:, 3:6])
        back = np.swapaxes(wrist, 1, 2)
        position = (back @ velocity[:, :3, None])[..., 0]
        turn = back @ euler_matrix(velocity[:, 3:6]) @ wrist
        return np.concatenate([position, turn[:, 0], turn[:, 1]], axis=1).astype(np.float32)


_DROID = OpenXDataset(
    cameras=cameras("exterior_image_1_left", "exterior_image_2_left", "wrist_image_left"),
    motion=(_VELOCITY[:3], _VELOCITY[3:6]),
    gripper=Column("action_dict/gripper_position"),
    gripper_rule=closedness,
    state=(_POSE, _OPENING),
    state_kind="pose_euler",
    moving=_moving,
    swapped=("primary", "secondary"),
    frame="base",
    rate_hz=15,
)
_TEST_ROBOT = OpenXDataset(
    cameras=cameras("static_image"),
    motion=(ACTION[:6],),
    gripper=ACTION[-1:],
    gripper_rule=settled_opening,
    state=(_POSE[:6], PAD, _OPENING[-1:]),
    state_kind="pose_euler",
    rate_hz=5,
)
_TEST_TASKS = (
    "carrot_in_bowl",
    "pour_corn_in_pot",
    "flip_pot_upright",
    "move_object_onto_plate",
    "knock_object_over",
    "cover_object_with_towel",
)

DROID: Mapping[str, OpenXDataset] = {
    "droid": _DROID,
    "droid_wrist": replace(
        _DROID, action="pose_r6", motion=(WristVelocity(_VELOCITY, _POSE),), frame="tool"
    ),
    "droid_wipe": replace(
        _DROID,
        cameras=cameras("exterior_image_2_left", wrist="wrist_image_left"),
        moving=None,
        swapped=(),
    ),
    **{f"tdroid_{task}": _TEST_ROBOT for task in _TEST_TASKS},
}
