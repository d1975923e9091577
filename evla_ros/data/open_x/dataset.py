# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One known dataset as data: its cameras, what its action and state are made of, its language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from evla_ros.data.open_x.grippers import GripperRule, opening
from evla_ros.data.open_x.pieces import Column, Constant, Piece

FloatArray = npt.NDArray[np.float32]
ActionKind = Literal["pose", "pose_r6", "joints"]
StateKind = Literal["none", "pose_euler", "pose_quaternion", "joints"]
Frame = Literal["base", "tool", "joints", "not stated"]
TextOfRow = Callable[[npt.NDArray[Any]], str]
MOTION_NUMBERS: Mapping[ActionKind, int] = {"pose": 6, "pose_r6": 9, "joints": 7}
NO_STATE: tuple[Piece, ...] = (Constant(8),)

LANGUAGE = "language_instruction"
LANGUAGE_OF_GOOGLE = "observation/natural_language_instruction"


@dataclass(frozen=True, kw_only=True)
class OpenXDataset:
    """How a dataset is read, after the published loaders (OpenVLA, Octo).

    Attributes:
        cameras: primary, secondary and wrist -> observation key, where the dataset has them.
        motion: The motion: six pose numbers (a change of position, then of roll, pitch and yaw), or
            as `action` says.
        gripper: The raw number of the gripper.
        gripper_rule: Makes it absolute, 1 = open.
        state: The proprioception; zeros stand where the robot has no such number.
        action: pose: 6 + 1 numbers; pose_r6: 9 + 1, the rotation as two rows of its matrix; joints:
            7 + 1, which do not fit a network that learns poses.
        state_kind: What the state says.
        language: Column of the instruction.
        text: Makes an instruction of a row of that column where it holds no text.
        skip: Steps at the start and at the end that are never learned.
        moving: Which steps of standardised actions [T, D] are learned; None: all.
        swapped: A camera pair that is exchanged in every second episode, by chance.
        frame: What the deltas are relative to, where the publishers or their robot's driver say it.
        rate_hz: Steps a second, as LeRobot lists them for its Open-X port; None: not stated.
        version: The version that the published runs took where a newer one is broken.
        other_names: Further folder names of the same data.
    """

    cameras: Mapping[str, str]
    motion: tuple[Piece, ...]
    gripper: Piece
    gripper_rule: GripperRule = opening
    state: tuple[Piece, ...] = NO_STATE
    action: ActionKind = "pose"
    state_kind: StateKind = "none"
    language: str = LANGUAGE
    text: TextOfRow | None = None
    skip: tuple[int, int] = (0, 0)
    moving: Callable[[FloatArray], npt.NDArray[np.bool_]] | None = None
    swapped: tuple[str, ...] = ()
    frame: Frame = "not stated"
    rate_hz: float | None = None
    version: str = ""
    other_names: tuple[str, ...] = ()

    @property
    def action_numbers(self) -> int:
        """Numbers of an action, D: the motion and the gripper."""
        return MOTION_NUMBERS[self.action] + 1

    @property
    def action_mask(self) -> list[bool]:
        """Which numbers of an action are normalised, [D]; the gripper, the last one, is not."""
        return [True] * MOTION_NUMBERS[self.action] + [False]


def observed(name: str) -> Column:
    """Return an observation."""
    return Column(f"observation/{name}")


def commanded(name: str) -> Column:
    """Return a part of a nested action."""
    return Column(f"action/{name}")


ACTION = Column("action")
GOOGLE_MOTION: tuple[Piece, ...] = (commanded("world_vector"), commanded("rotation_delta"))
PAD = Constant(1)


def arm_state(name: str = "state") -> tuple[Piece, ...]:
    """Return the usual state: six pose numbers, nothing, and the gripper, the last number."""
    return (observed(name)[:6], PAD, observed(name)[-1:])


def cameras(primary: str = "", secondary: str = "", wrist: str = "") -> dict[str, str]:
    """Return the cameras that a dataset has."""
    found = {"primary": primary, "secondary": secondary, "wrist": wrist}
    return {camera: key for camera, key in found.items() if key}
