# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a demonstration has shown, in words: the table, what it means, and what to do next."""

from __future__ import annotations

import math
from collections.abc import Sequence

from evla_ros.demo.episode import Outcome

ON_TIME = 0.8


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as text, with how many were solved."""
    head = f"{'what it was told':40} {'solved':>6} {'after':>8} {'goals':>8} {'decides in':>11}"
    solved = sum(outcome.success for outcome in outcomes)
    return "\n".join([head, *map(_row, outcomes), f"{solved} of {len(outcomes)} solved"])


def _row(o: Outcome) -> str:
    rate = "-" if math.isnan(o.goal_rate_hz) else f"{o.goal_rate_hz:.0f}"
    note = f"  {o.note}" if o.note else ""
    decides = f"{o.inference_p50_ms:.0f} ms"
    return (
        f"{o.instruction:40} {'yes' if o.success else 'NO':>6} {o.seconds:6.1f} s "
        f"{rate:>5} Hz {decides:>11}{note}"
    )


def meaning(outcomes: Sequence[Outcome], goal_rate_hz: float) -> str:
    """Say what the columns are, and whether the machine kept up.

    Args:
        outcomes: what happened.
        goal_rate_hz: how many goals a second the robot's file asks for.
    """
    rates = [o.goal_rate_hz for o in outcomes if not math.isnan(o.goal_rate_hz)]
    jitter_ms = [o.jitter_p99_ms for o in outcomes if not math.isnan(o.jitter_p99_ms)]
    lines = [
        "goals: how often a second the robot is told where its hand shall be.",
        "decides in: from the pictures to the next actions, in the middle.",
    ]
    if jitter_ms:
        lines.append(f"Of 100 goals, 99 were less than {max(jitter_ms):.0f} ms off their beat.")
    if rates and min(rates) < ON_TIME * goal_rate_hz:
        lines.append(
            f"This machine was too busy for real time ({min(rates):.0f} goals a second of "
            f"{goal_rate_hz:g}), and a robot that is answered late solves less: close other "
            "programs and try again."
        )
    return "\n".join(lines)


def next_commands(world: str, *, console: bool) -> str:
    """Return three commands, one for each reason why somebody tries the demonstration."""
    more = "evla demo --world humanoid_upper_body" if console else "evla demo --console"
    why = "the same policy with two arms" if console else "watch it in a browser, stop it, drive"
    rows = [
        (more, why),
        (f"evla record --world {world} --episodes 20 --out recordings", "data to train on"),
        ("evla robot init my_robot.yaml", "describe your own robot, from its running drivers"),
    ]
    width = max(len(command) for command, _ in rows)
    return "\n".join(["next:", *(f"  {command:{width}}   # {text}" for command, text in rows)])
