# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reactive skills of one hand, from above: grasp, carry, release, push. State in, intent out.

A skill never knows how long it has run: every decision is a function of where things are now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evla_ros.geometry.pose import Array
from evla_ros.sim.experts.motion import Intent
from evla_ros.sim.experts.style import Style

_ALIGNED_M = 0.011
_STILL_ALIGNED_M = 0.019
_AT_HEIGHT_M = 0.010
_MARGIN_M = 0.045
_PLACED_M = 0.010
_LET_GO = 0.75


@dataclass(frozen=True, eq=False)
class Hand:
    """One hand now, and how it should be turned.

    Attributes:
        position_m: measured position [3] of the tool in base_frame.
        opening: measured opening of the gripper in [0, 1], 1 = open.
        quaternion_xyzw: orientation [4] that the hand should take or keep.
    """

    position_m: Array
    opening: float
    quaternion_xyzw: Array

    def at(self, position_m: Array, gripper: float) -> Intent:
        """Return the intent to be at a position with the hand's orientation."""
        return Intent(np.asarray(position_m, dtype=np.float64), self.quaternion_xyzw, gripper)

    def stay(self, gripper: float) -> Intent:
        """Return the intent not to move."""
        return self.at(self.position_m, gripper)


def grasp(hand: Hand, target_m: Array, style: Style) -> Intent:
    """Go above a target, straight down around it, and close."""
    lateral = float(np.hypot(*(target_m - hand.position_m)[:2]))
    above = float(hand.position_m[2] - target_m[2])
    around = lateral < _STILL_ALIGNED_M and above < _AT_HEIGHT_M + (
        0.012 if hand.opening < 0.9 else 0.0
    )
    if around:
        return hand.at(target_m, 0.0)
    if hand.opening < 0.85 and lateral < 0.06 and above < 0.06:
        return let_go(hand, hand.position_m[2] + 0.03)
    tolerance = _STILL_ALIGNED_M if above < 0.03 else _ALIGNED_M
    height = 0.0 if lateral < tolerance else _descent(lateral, style.hover_m)
    return travel(hand, target_m + up(height), target_m[2] + _MARGIN_M, 1.0)


def carry(
    hand: Hand, held_m: Array, target_m: Array, style: Style, tolerance_m: float = _ALIGNED_M
) -> Intent:
    """Bring a held object over a target, lower it, open.

    Args:
        hand: the one that holds it.
        held_m: where the object's centre is, [3] in metres.
        target_m: where it should be, [3] in metres.
        style: how the demonstrator moves.
        tolerance_m: horizontal distance at which it may be lowered.
    """
    lateral = float(np.hypot(*(target_m - held_m)[:2]))
    above = float(held_m[2] - target_m[2])
    still = tolerance_m + _STILL_ALIGNED_M - _ALIGNED_M
    if lateral < still and above < _PLACED_M:
        return hand.stay(1.0)
    height = (
        0.0
        if lateral < (still if above < 0.03 else tolerance_m)
        else _descent(lateral, style.carry_m)
    )
    goal = target_m + (hand.position_m - held_m) + up(height)
    return travel(hand, goal, goal[2] - 0.02 if height else -1.0, 0.0)


def raise_to(hand: Hand, height_m: float, gripper: float) -> Intent:
    """Go straight up (or stay) until the tool is at a height."""
    goal = hand.position_m.copy()
    goal[2] = max(goal[2], height_m)
    return hand.at(goal, gripper)


def let_go(hand: Hand, height_m: float) -> Intent:
    """Open; once the fingers are clear, go straight up."""
    return raise_to(hand, height_m, 1.0) if hand.opening > _LET_GO else hand.stay(1.0)


def deliver(
    hand: Hand,
    object_m: Array,
    target_m: Array,
    style: Style,
    *,
    held: bool,
    there: bool,
    tolerance_m: float = _ALIGNED_M,
) -> Intent:
    """Grasp an object, carry it to a target and let go, whichever of these is due."""
    if held:
        return carry(hand, object_m, target_m, style, tolerance_m)
    if there:
        return let_go(hand, target_m[2] + style.hover_m)
    return grasp(hand, object_m, style)


def nearest_free(
    position_m: Array, grid_m: Array, occupied: Sequence[tuple[Array, float]]
) -> Array:
    """Return the point of a grid nearest to a position that keeps its distance from what is there.

    Args:
        position_m: [2] or [3] in metres.
        grid_m: points [N, 2] in metres.
        occupied: (centre [2] or [3], distance to keep) in metres.

    Returns:
        A point [2] in metres; the position's own when nothing is free.
    """
    free = [
        point
        for point in grid_m
        if all(np.hypot(*(point - centre[:2])) > distance for centre, distance in occupied)
    ]
    here = position_m[:2]
    return min(free, key=lambda point: float(np.hypot(*(point - here))), default=here)


def push(hand: Hand, target_m: Array, way: Array, standoff_m: float, style: Style) -> Intent:
    """Get behind a target with closed fingers and push it along a horizontal unit vector [3]."""
    offset = hand.position_m - target_m
    along = float(offset @ way)
    across = offset - along * way
    sideways = float(np.hypot(*across[:2]))
    level = abs(float(offset[2])) < 0.015
    if along < 0 and sideways < _STILL_ALIGNED_M and level and hand.opening < 0.2:
        ahead = target_m - way * standoff_m + way * 0.08
        return hand.at(ahead, 0.0)
    behind = target_m - way * (standoff_m + 0.022)
    lateral = float(np.hypot(*(behind - hand.position_m)[:2]))
    tolerance = _STILL_ALIGNED_M if offset[2] < 0.03 else _ALIGNED_M
    height = 0.0 if lateral < tolerance and hand.opening < 0.2 else _descent(lateral, style.hover_m)
    return travel(hand, behind + up(height), target_m[2] + _MARGIN_M, 0.0)


def travel(hand: Hand, goal_m: Array, clear_z_m: float, gripper: float) -> Intent:
    """Go to a goal, rising before moving sideways while lower than `clear_z_m`."""
    way = goal_m - hand.position_m
    if np.hypot(*way[:2]) > 0.03 and hand.position_m[2] < clear_z_m:
        missing = clear_z_m - hand.position_m[2]
        way = way * [0.15, 0.15, 1.0] if missing > 0.02 else way * [0.5, 0.5, 1.0]
    return hand.at(hand.position_m + way, gripper)


def is_around(hand: Hand, points_m: Sequence[Array]) -> bool:
    """Return whether a point lies between (or right below) fingers that are not closed."""
    offsets = [point - hand.position_m for point in points_m]
    near = any(np.hypot(*o[:2]) < 0.05 and -0.06 < o[2] < 0.06 for o in offsets)
    return near and hand.opening > 0.35


def up(height_m: float) -> Array:
    """Return the vector [3] that points up by a height in metres."""
    return np.array([0.0, 0.0, height_m])


def _descent(lateral_m: float, hover_m: float) -> float:
    fraction = min(1.0, max(0.0, (lateral_m - _ALIGNED_M) / 0.05))
    return _MARGIN_M + (hover_m - _MARGIN_M) * fraction
