# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What one hand does in a task about one block: reach, push, lift, or bring it to where it belongs.

A world with other places for blocks passes a function of its own beside `block_delivery`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from evla_ros.geometry.pose import Array
from evla_ros.sim.experts import skills
from evla_ros.sim.experts.body import Body
from evla_ros.sim.experts.motion import Intent
from evla_ros.sim.experts.style import Style
from evla_ros.sim.scenes.blocks import HALF_M
from evla_ros.sim.scenes.table import BOWL_HEIGHT_M, PLATE_TOP_M
from evla_ros.sim.tasks.families import WAYS
from evla_ros.sim.tasks.task import Task

_PUSH_STANDOFF_M = HALF_M + 0.016
_PUSH_HEIGHT_M = 0.028
_REACH_ABOVE_M = 0.05
_LIFT_M = 0.10
_BLOCK_ROOM_M = 0.10
_SET_ASIDE_TOLERANCE_M = 0.02


class Delivery(NamedTuple):
    """Where a block has to go.

    Attributes:
        target_m: centre [3] of the block when it is let go, in metres.
        done: whether it is there.
        tolerance_m: horizontal distance at which it may be lowered.
    """

    target_m: Array
    done: bool
    tolerance_m: float


def act_on_block(
    body: Body,
    index: int,
    task: Task,
    style: Style,
    delivery_of: Callable[[Body, Task], Delivery] | None = None,
) -> Intent:
    """Return what a hand should do next with the block of the task's first slot.

    Args:
        body: the hands.
        index: which of them.
        task: about one block.
        style: how the demonstrator moves.
        delivery_of: where the block goes, for tasks that move it; `block_delivery` when None.
    """
    colour = task.slots[0]
    block = body.block(colour)
    if task.family == "reach":
        above = block + skills.up(_REACH_ABOVE_M)
        return skills.travel(body.hand(index), above, HALF_M + 0.045, 1.0)
    if task.family == "push":
        return _push(body, index, block, task.slots[1], style)
    hand, held = body.hand_at_block(index, colour), body.holds_block(index, colour)
    if task.family == "lift":
        if held:
            return skills.raise_to(hand, HALF_M + _LIFT_M, 0.0)
        return skills.grasp(hand, block, style)
    target_m, done, tolerance_m = (delivery_of or block_delivery)(body, task)
    return skills.deliver(
        hand, block, target_m, style, held=held, there=done, tolerance_m=tolerance_m
    )


def block_delivery(body: Body, task: Task) -> Delivery:
    """Return where the block of `stack`, `put_on_plate` or `put_in_bowl` goes."""
    block = body.block(task.slots[0])
    if task.family == "stack":
        target_m = body.block(task.slots[1]) + skills.up(2 * HALF_M + 0.002)
        done = _away(block, target_m) < 0.02 and abs(block[2] - target_m[2]) < 0.012
        return Delivery(target_m, bool(done), 0.009)
    if task.family == "put_on_plate":
        target_m = body.position_of("plate") + skills.up(PLATE_TOP_M + HALF_M + 0.002)
        within_m, tolerance_m = 0.055, 0.02
    else:
        target_m = body.position_of("bowl") + skills.up(BOWL_HEIGHT_M + 0.02)
        within_m, tolerance_m = 0.045, 0.018
    done = _away(block, target_m) < within_m and block[2] < target_m[2] + 0.015
    return Delivery(target_m, bool(done), tolerance_m)


def set_aside(
    body: Body,
    index: int,
    colour: str,
    spots_m: Array,
    occupied: Sequence[tuple[Array, float]],
    style: Style,
) -> Intent:
    """Bring a held block to the nearest free spot of the table and let it go.

    Args:
        body: the hands.
        index: which of them holds the block.
        colour: colour of the block.
        spots_m: where it may go, [N, 2] in metres.
        occupied: (position [2] or [3], distance to keep) in metres, beside the other blocks.
        style: how the demonstrator moves.
    """
    others = [other for other in body.scene.colours if other != colour]
    occupied = [*((body.block(other), _BLOCK_ROOM_M) for other in others), *occupied]
    block = body.block(colour)
    spot = skills.nearest_free(block, spots_m, occupied)
    target_m = np.array([*spot, HALF_M])
    return skills.carry(body.hand(index), block, target_m, style, _SET_ASIDE_TOLERANCE_M)


def _push(body: Body, index: int, block: Array, side: str, style: Style) -> Intent:
    hand = body.hand(index)
    if body.is_around_a_block(index):
        return skills.let_go(hand, hand.position_m[2] + 0.03)
    target_m = np.array([block[0], block[1], _PUSH_HEIGHT_M])
    return skills.push(hand, target_m, WAYS[side], _PUSH_STANDOFF_M, style)


def _away(a: Array, b: Array) -> float:
    return float(np.hypot(*(a - b)[:2]))
