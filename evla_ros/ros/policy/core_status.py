# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the status says about the control core, all of one moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from evla_ros.control.controller import Controller
from evla_ros.control.reasons import Finding, Reason
from evla_ros.control.ticks import LastStop, Tick


class StreamStatus(NamedTuple):
    """One input. `age_ns` counts from the arrival of its newest sample; None: none has arrived."""

    name: str
    age_ns: int | None
    max_age_ns: int
    samples: int


class CoreStatus(NamedTuple):
    """Plain values, safe to read while the core goes on.

    Attributes:
        now_ns: When they were read, on the node's clock.
        finding: Why the robot moves or not.
        moving: Whether goals follow a chunk.
        started: Whether an operator has started it.
        instruction: What the policy is asked to do.
        inference_p50_ms: Median time of an inference; below 0 before the first.
        inference_p95_ms: 95th percentile of it.
        chunks: Chunks that were accepted.
        rows_left: Actions that are left of the present chunk; None without one.
        goals: Ticks with a goal.
        goal_ns: When the newest of them was.
        clips: How often each limit of each part (arm, base, axis) changed a goal.
        last_clip: The part and the limit that changed one last.
        streams: Every input.
        lost: Images of each camera that never arrived.
        last_stop: What ended motion last.
    """

    now_ns: int
    finding: Finding
    moving: bool
    started: bool
    instruction: str
    inference_p50_ms: float
    inference_p95_ms: float
    chunks: int
    rows_left: int | None
    goals: int
    goal_ns: int | None
    clips: Mapping[tuple[str, Reason], int]
    last_clip: tuple[str, Reason] | None
    streams: tuple[StreamStatus, ...]
    lost: Mapping[str, int]
    last_stop: LastStop | None


class GoalCount:
    """Counts the ticks with a goal, and remembers the limit that changed one last."""

    def __init__(self) -> None:
        """Start with no goal."""
        self.goals = 0
        self.goal_ns: int | None = None
        self.last_clip: tuple[str, Reason] | None = None

    def note(self, controller: Controller, now_ns: int) -> None:
        """Count what the controller has just decided to publish."""
        if any(arm.goal is not None for arm in controller.arms):
            self.goals += 1
            self.goal_ns = now_ns
        for part in controller.parts.channels:
            for clip in part.last_clips:
                self.last_clip = (part.name, clip)


def core_status(
    controller: Controller, tick: Tick, count: GoalCount, lost: Mapping[str, int], now_ns: int
) -> CoreStatus:
    """Return the status; the caller holds the core's lock."""
    policy, scheduler = controller.policy, controller.scheduler
    return CoreStatus(
        now_ns,
        tick.finding,
        tick.moving,
        controller.started,
        controller.inputs.instruction,
        policy.percentile_ms(50),
        policy.percentile_ms(95),
        policy.chunks,
        scheduler.rows_left(now_ns) if scheduler.active else None,
        count.goals,
        count.goal_ns,
        {
            (part.name, limit): n
            for part in controller.parts.channels
            for limit, n in sorted(part.clips.items())
        },
        count.last_clip,
        tuple(
            StreamStatus(name, stream.age_ns(now_ns), stream.max_age_ns, stream.count)
            for name, stream in controller.inputs.watchdog.streams.items()
        ),
        lost,
        controller.last_stop,
    )
