# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Find which columns belong to which arm, from the embodiment or from the usual layouts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from evla_ros.embodiment import Embodiment, FeatureLayout, action_columns, proprio_layout
from evla_ros.errors import EvlaError
from evla_ros.geometry.rotation import from_rpy

FloatArray = npt.NDArray[np.float64]
ARM_NUMBERS = 7


@dataclass(frozen=True)
class ArmColumns:
    """The columns of one arm; a state column is None when the state does not hold it."""

    name: str
    action: slice  # dx dy dz droll dpitch dyaw gripper
    state_position: slice | None = None
    state_rotation: slice | None = None
    rotation_kind: Literal["quaternion", "euler"] = "quaternion"
    state_gripper: int | None = None

    def positions(self, state: npt.NDArray[np.float32]) -> FloatArray | None:
        """Return the measured positions [T, 3] in metres, or None."""
        if self.state_position is None:
            return None
        return state[:, self.state_position].astype(np.float64)

    def quaternions(self, state: npt.NDArray[np.float32]) -> FloatArray | None:
        """Return the measured rotations [T, 4] as unit quaternions xyzw, or None."""
        if self.state_rotation is None:
            return None
        values = state[:, self.state_rotation].astype(np.float64)
        if self.rotation_kind == "euler":
            return np.asarray(from_rpy(values), dtype=np.float64)
        norms = np.linalg.norm(values, axis=1, keepdims=True)
        return np.where(norms > 1e-6, values / np.maximum(norms, 1e-6), [0.0, 0.0, 0.0, 1.0])


def arms_of(embodiment: Embodiment) -> tuple[ArmColumns, ...]:
    """Return the arms of a dataset recorded with this embodiment."""
    proprio = proprio_layout(embodiment)
    arms = []
    for arm, columns in zip(embodiment.arms, action_columns(embodiment).arms, strict=True):
        position = _find(proprio, f"{arm.name}_ee_position")
        gripper = _find(proprio, f"{arm.name}_gripper")
        arms.append(
            ArmColumns(
                arm.name,
                columns,
                position,
                _find(proprio, f"{arm.name}_ee_quaternion"),
                "quaternion",
                gripper.start if gripper is not None else None,
            )
        )
    return tuple(arms)


def guessed_arms(
    action_dim: int, states: Sequence[npt.NDArray[np.float32]]
) -> tuple[ArmColumns, ...]:
    """Guess the columns of a single arm from the sizes that Open X-Embodiment datasets use.

    A state of 7 is read as xyz, roll pitch yaw, gripper (BridgeData V2). A state of 8 is read as
    xyz, quaternion, gripper when its middle is a unit quaternion, and otherwise as xyz, roll pitch
    yaw, padding, gripper.

    Args:
        action_dim: Numbers of an action, D.
        states: [T, P] of each episode.
    """
    if action_dim != ARM_NUMBERS:
        return ()
    action = slice(0, ARM_NUMBERS)
    width = states[0].shape[1] if states else 0
    if width == ARM_NUMBERS:
        return (ArmColumns("arm", action, slice(0, 3), slice(3, 6), "euler", 6),)
    if width == ARM_NUMBERS + 1:
        norms = np.concatenate([np.linalg.norm(state[:, 3:7], axis=1) for state in states])
        unit = bool(np.all(np.abs(norms - 1.0) < 1e-2))
        rotation = slice(3, 7) if unit else slice(3, 6)
        kind: Literal["quaternion", "euler"] = "quaternion" if unit else "euler"
        return (ArmColumns("arm", action, slice(0, 3), rotation, kind, 7),)
    return (ArmColumns("arm", action),)


def _find(layout: FeatureLayout, name: str) -> slice | None:
    try:
        return layout.slice_of(name)
    except EvlaError:
        return None
