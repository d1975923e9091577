# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Can a block be taken, and is there room where it should go? Shared by all worlds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import mujoco
import numpy as np

from evla_ros.geometry.pose import Array
from evla_ros.sim.scenes.blocks import HALF_M, BlockScene
from evla_ros.sim.scenes.table import TableScene
from evla_ros.sim.tasks.families import WAYS

_ON_TOP_M = 0.04
_IN_DISH_M = 0.085
_BOWL_ROOM_M = 0.09
_HAND_BEHIND_M = 0.065


class Reach(NamedTuple):
    """Where hands get to on the table, in metres of base_frame: x between two, |y| below one."""

    near_x_m: float
    far_x_m: float
    wide_y_m: float

    def has(self, point_m: Array) -> bool:
        """Return whether a point [3] is inside."""
        return bool(self.near_x_m < point_m[0] < self.far_x_m and abs(point_m[1]) < self.wide_y_m)


def can_be_taken(scene: TableScene, data: mujoco.MjData, colour: str, reach: Reach) -> bool:
    """Return whether a block is within reach, not in the bowl, and nothing lies on it."""
    block = scene.block(data, colour)
    bowl = scene.position_of(data, "bowl")
    in_bowl = scene.is_here(data, "bowl") and away(block, bowl) < _BOWL_ROOM_M
    return reach.has(block) and not in_bowl and top_is_clear(scene, data, colour)


def is_on_table(block_m: Array) -> bool:
    """Return whether a block's centre [3] is at the height of one that lies on the table."""
    return bool(abs(block_m[2] - HALF_M) < 0.02)


def top_is_clear(scene: BlockScene, data: mujoco.MjData, colour: str) -> bool:
    """Return whether no other block lies on a block."""
    block = scene.block(data, colour)
    offsets = [scene.block(data, other) - block for other in scene.colours if other != colour]
    return not any(np.hypot(*o[:2]) < _ON_TOP_M and o[2] > HALF_M for o in offsets)


def dish_is_empty(scene: BlockScene, data: mujoco.MjData, dish_m: Array, colour: str) -> bool:
    """Return whether no block but this one is in (or right above) a bowl or on a plate."""
    others = [scene.block(data, other) for other in scene.colours if other != colour]
    return all(away(block, dish_m) > _IN_DISH_M for block in others)


def way_is_free(
    block_m: Array, obstacles: Iterable[tuple[Array, float]], side: str, room_m: float
) -> bool:
    """Return whether nothing stands where a push to a side would bring block and hand.

    Args:
        block_m: centre [3] of the block that is pushed.
        obstacles: (position [3], radius) in metres.
        side: left or right.
        room_m: how far ahead of the block nothing may stand.
    """
    for other_m, radius_m in obstacles:
        offset = other_m - block_m
        along = float(offset[:2] @ WAYS[side][:2])
        beside = abs(float(offset[0])) < radius_m + 0.02
        if beside and -(radius_m + _HAND_BEHIND_M) < along < radius_m + room_m:
            return False
    return True


def away(a: Array, b: Array) -> float:
    """Return the horizontal distance of two points [3] in metres."""
    return float(np.hypot(a[0] - b[0], a[1] - b[1]))
