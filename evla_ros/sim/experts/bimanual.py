# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Tasks that need both hands: hand over, lift together, lift two things at once."""

from __future__ import annotations

import numpy as np

from evla_ros.sim.experts import skills
from evla_ros.sim.experts.motion import Intent
from evla_ros.sim.experts.skills import Hand
from evla_ros.sim.experts.style import Style
from evla_ros.sim.experts.two_hands import LEFT, RIGHT, TwoHands
from evla_ros.sim.scenes.blocks import HALF_M
from evla_ros.sim.tasks.families import SIDES

_MEET_HEIGHT_M = 0.17
_NEAR_MEETING_M = 0.05
_LIFT_M = 0.10
_TRAY_GRIP_M = 0.062


def hand_over(body: TwoHands, receiver: int, style: Style) -> tuple[Intent, Intent]:
    """The giver brings the bar to the middle by its far end; the receiver takes the near end."""
    giver = 1 - receiver
    giving, taking = body.holds_part(giver, "bar"), body.holds_part(receiver, "bar")
    yaw = body.yaw_of("bar")
    give, take = body.hand(giver, yaw), body.hand(receiver, yaw)
    if taking:
        intents = (_withdraw(body, giver, give), _keep(take))
    elif giving:
        intents = _present(body, body.hand(giver), take, receiver, style)
    elif _bar_is_held_up(body):
        intents = (_withdraw(body, giver, give), skills.grasp(take, body.part("bar_near"), style))
    else:
        intents = (skills.grasp(give, body.part("bar_far"), style), body.idle(receiver))
    return intents if giver == LEFT else (intents[1], intents[0])


def lift_tray(body: TwoHands, style: Style) -> tuple[Intent, Intent]:
    """Each hand grasps its handle and waits for the other; then both rise level."""
    yaw = body.yaw_of("tray")
    hands = tuple(body.hand(index, yaw) for index in (LEFT, RIGHT))
    held = [body.holds_part(index, f"tray_{SIDES[index]}") for index in (LEFT, RIGHT)]
    lowest = min(float(hand.position_m[2]) for hand in hands)
    intents = []
    for index, hand in enumerate(hands):
        if all(held):
            goal = hand.position_m.copy()
            goal[2] = min(lowest + 0.03, max(_TRAY_GRIP_M + _LIFT_M, goal[2]))
            intents.append(hand.at(goal, 0.0))
        elif held[index]:
            intents.append(hand.stay(0.0))
        else:
            intents.append(skills.grasp(hand, body.part(f"tray_{SIDES[index]}"), style))
    return intents[0], intents[1]


def lift_both(body: TwoHands, colours: list[str], style: Style) -> tuple[Intent, Intent]:
    """The left hand lifts the block that lies further left, the right hand the other."""
    by_side = sorted(colours, key=lambda colour: -float(body.block(colour)[1]))
    intents = []
    for index, colour in enumerate(by_side):
        hand = body.hand_at_block(index, colour)
        if body.holds_block(index, colour):
            intents.append(skills.raise_to(hand, HALF_M + _LIFT_M, 0.0))
        else:
            intents.append(skills.grasp(hand, body.block(colour), style))
    return intents[0], intents[1]


def _present(
    body: TwoHands, give: Hand, take: Hand, receiver: int, style: Style
) -> tuple[Intent, Intent]:
    """Bring the bar, straightened, to the middle; the other hand comes when it is near.

    The giver does not wait short of the meeting point: no state then asks both hands to stay.
    """
    bar = body.position_of("bar")
    missing = np.array([bar[0], 0.0, _MEET_HEIGHT_M]) - bar
    near = bool(np.linalg.norm(missing) < _NEAR_MEETING_M)
    if bar[2] < _MEET_HEIGHT_M - 0.05:
        missing[1] *= 0.2
    taking = skills.grasp(take, body.part("bar_near"), style) if near else body.idle(receiver)
    return give.at(give.position_m + missing, 0.0), taking


def _withdraw(body: TwoHands, index: int, hand: Hand) -> Intent:
    end = body.part("bar_far")
    around = np.hypot(*(hand.position_m - end)[:2]) < 0.07
    if around and hand.position_m[2] < end[2] + 0.08:
        return skills.let_go(hand, end[2] + 0.10)
    return body.idle(index)


def _keep(hand: Hand) -> Intent:
    return skills.raise_to(hand, _MEET_HEIGHT_M - 0.03, 0.0)


def _bar_is_held_up(body: TwoHands) -> bool:
    return bool(body.position_of("bar")[2] > _MEET_HEIGHT_M - 0.06)
