# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Derive actions from what was commanded or achieved, for arms, base and axes.

Action i of an arm is the motion from tick i to tick i + 1 in `base_frame`, in metres and radians,
with the rotation difference taken on SO(3) (`evla_ros.geometry.delta`). That of a base is its
velocity, of an axis its position at tick i + 1. N ticks therefore give N - 1 actions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.embodiment.layout import ActionColumns, columns_of_arms
from evla_ros.geometry.delta import delta_between
from evla_ros.geometry.pose import Pose

FloatArray = npt.NDArray[np.float64]
OPEN_ABOVE = 0.5
MOTION = 0.1  # a change of the opening that is a motion
STILL = 0.01  # a change that is none
ARM_WIDTH = 7


@dataclass(frozen=True)
class ArmTrack:
    """One arm over N ticks.

    Attributes:
        poses: The measured pose at each tick.
        goals: The goal pose in force, None where none is fresh.
        openings: [N] measured gripper opening, 0 closed to 1 open.
        commands: [N] commanded gripper opening, NaN before the first command.
    """

    poses: Sequence[Pose]
    goals: Sequence[Pose | None]
    openings: FloatArray
    commands: FloatArray


def arm_actions(track: ArmTrack, source: str) -> FloatArray:
    """Return the actions of one arm.

    With `commanded` an action is the change of the goal over the tick. Where no goal is fresh the
    measured pose takes its place, because a robot without a goal holds its position. The gripper
    number is absolute: the opening commanded by the end of the tick or, before the first command,
    what the measured one shows (`motion_targets`).

    Args:
        track: The arm over N ticks.
        source: `commanded` or `achieved`.

    Returns:
        [N - 1, 7]: three metres, three radians and the gripper opening.
    """
    path = track.poses
    if source == "commanded":
        path = [
            pose if goal is None else goal
            for pose, goal in zip(track.poses, track.goals, strict=True)
        ]
    steps = len(path) - 1
    actions = np.empty((max(steps, 0), 7))
    for index in range(steps):
        actions[index, :6] = delta_between(path[index], path[index + 1])
    actions[:, 6] = target_openings(track.openings, track.commands)[1:]
    return actions


def target_openings(openings: FloatArray, commands: FloatArray) -> FloatArray:
    """Return the requested opening at each tick [N].

    Args:
        openings: [N] measured, 0 closed to 1 open.
        commands: [N] commanded; NaN takes what the measured opening shows.
    """
    missing = np.isnan(commands)
    if not missing.any():
        return np.clip(commands, 0.0, 1.0)
    return np.where(missing, motion_targets(openings), np.clip(commands, 0.0, 1.0))


def motion_targets(openings: FloatArray) -> FloatArray:
    """Return what a gripper was told at each tick [N], 0 or 1, from how its opening changes.

    It was told to close after the last tick before the opening shrinks by more than `MOTION`,
    however wide the object is that it ends on, and to open after the last tick before it grows.
    Without such a motion an opening above a half counts as open.

    Args:
        openings: [N] measured, 0 closed to 1 open.
    """
    targets = np.empty(len(openings))
    if not len(openings):
        return targets
    turns = _turns(openings)
    closing_first = bool(turns) and turns[0][1] < 0
    target = 1.0 if closing_first or (not turns and openings[0] > OPEN_ABOVE) else 0.0
    start = 0
    for place, direction in turns:
        targets[start : place + 1] = target
        target, start = (0.0 if direction < 0 else 1.0), place + 1
    targets[start:] = target
    return targets


def _turns(openings: FloatArray) -> list[tuple[int, int]]:
    """Return (last tick before a motion, its direction) of every motion by more than `MOTION`."""
    turns: list[tuple[int, int]] = []
    low = high = 0  # the last ticks at which it was narrowest and widest since the last turn
    bottom = top = float(openings[0])
    for place, opening in enumerate(openings.tolist()):
        way = turns[-1][1] if turns else 0
        bottom, top = min(bottom, opening), max(top, opening)
        low = place if opening <= bottom + STILL else low
        high = place if opening >= top - STILL else high
        if way >= 0 and opening < top - MOTION:
            turns.append((high, -1))
        elif way <= 0 and opening > bottom + MOTION:
            turns.append((low, 1))
        else:
            continue
        low = high = place
        bottom = top = opening
    return turns


def base_actions(
    commands: Sequence[FloatArray | None], measured: Sequence[FloatArray], source: str
) -> FloatArray:
    """Return the actions of a base [N - 1, 3]: its velocity vx vy wz at the end of each tick.

    Args:
        commands: The velocity in force at each of N ticks, None where none is: the base stands.
        measured: That of the odometry.
        source: `commanded` or `achieved`.
    """
    if source == "commanded":
        rows = [np.zeros(3) if command is None else command for command in commands]
    else:
        rows = list(measured)
    return np.array(rows, dtype=np.float64).reshape(-1, 3)[1:]


def axis_actions(commands: FloatArray, measured: FloatArray, source: str) -> FloatArray:
    """Return the actions of an axis [N - 1]: its position at the end of each tick.

    Args:
        commands: [N] commanded; NaN before the first command takes the measured one.
        measured: [N] measured, in metres or radians.
        source: `commanded` or `achieved`.
    """
    rows = np.where(np.isnan(commands), measured, commands) if source == "commanded" else measured
    return np.asarray(rows, dtype=np.float64)[1:]


def neutral_action(last: FloatArray, columns: ActionColumns | None = None) -> FloatArray:
    """Return the action that changes nothing: zeros, but grippers and axes as in `last` [D].

    columns: where the numbers are; None: arms only.
    """
    kept = list((columns or columns_of_arms(len(last) // ARM_WIDTH)).absolute)
    neutral = np.zeros_like(last)
    neutral[kept] = last[kept]
    return neutral
