# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check for motionless spans, since a policy imitates every pause (openvla issues 135 and 139)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evla_ros.data.alignment.idle import STANDS_PER_S
from evla_ros.data.doctor.context import SetContext
from evla_ros.data.doctor.finding import DatasetFinding, share
from evla_ros.data.doctor.runs import Flags, longest_run
from evla_ros.data.doctor.summary import EpisodeSummary
from evla_ros.embodiment import action_columns

STILL = 1e-4  # the no-op rule of OpenVLA: norm of the six pose numbers
LONG_PAUSE_S = 1.0
LONG_PAUSE_STEPS = 10
IDLE_SHARE = 0.2


def check_motion(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    """Report episodes without motion, long pauses, and a large share of idle steps."""
    rate = context.rate_hz
    limit = max(5, round(LONG_PAUSE_S * rate)) if rate else LONG_PAUSE_STEPS
    never, paused, longest = [], [], 0
    idle_steps = total = 0
    for episode in episodes:
        idle = idle_flags(episode, context)
        idle_steps += int(idle.sum())
        total += len(idle)
        run = longest_run(idle)
        if idle.all():
            never.append(episode.label)
        elif run >= limit:
            paused.append(episode.label)
            longest = max(longest, run)
    findings = []
    if never:
        message = f"{share(len(never), len(episodes))} episodes never move"
        fix = "leave them out with `evla dataset edit --drop`"
        findings.append(DatasetFinding("motion", "error", "action", message, fix, tuple(never)))
    if paused:
        message = (
            f"{share(len(paused), len(episodes))} episodes pause for {context.steps(limit)} or "
            f"more, the longest for {context.steps(longest)}"
        )
        fix = "convert again with idle trimming on, or cut the pauses"
        findings.append(DatasetFinding("motion", "warning", "action", message, fix, tuple(paused)))
    if total and idle_steps > IDLE_SHARE * total and len(never) < len(episodes):
        message = (
            f"{share(idle_steps, total)} steps hold still (pose below {STILL:g}, gripper unchanged)"
        )
        fix = "trim idle steps, or record at a lower rate"
        findings.append(DatasetFinding("motion", "warning", "action", message, fix))
    return findings


def idle_flags(episode: EpisodeSummary, context: SetContext) -> Flags:
    """Return [T] bool, True where nothing moves, no gripper changes and no base drives."""
    still = np.ones(len(episode), dtype=np.bool_)
    columns = [arm.action for arm in context.arms] or [slice(0, episode.action.shape[1] + 1)]
    for column in columns:
        action = episode.action[:, column]
        still &= np.linalg.norm(action[:, :-1], axis=1) < STILL if context.arms else True
        previous = np.vstack([action[:1], action[:-1]])
        change = np.abs(action - previous)
        still &= (change[:, -1] if context.arms else change.max(axis=1, initial=0.0)) < STILL
    return still & _others_stand(episode, context)


def _others_stand(episode: EpisodeSummary, context: SetContext) -> Flags:
    """Return [T] bool, True where the base of the robot stands and its axes stay."""
    stand = np.ones(len(episode), dtype=np.bool_)
    if context.embodiment is None or not context.arms:
        return stand
    columns, action = action_columns(context.embodiment), episode.action
    if action.shape[1] != columns.size:
        return stand
    if columns.base is not None:
        stand &= np.abs(action[:, columns.base]).max(axis=1) < STANDS_PER_S
    for axis in columns.axes:
        stand &= np.abs(np.diff(action[:, axis], prepend=action[:1, axis])) < STILL
    return stand
