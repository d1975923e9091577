# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the gripper convention: absolute, 1 = open, 0 = closed, and it follows its command."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evla_ros.data.doctor.context import SetContext
from evla_ros.data.doctor.finding import DatasetFinding, share
from evla_ros.data.doctor.runs import FloatColumn
from evla_ros.data.doctor.summary import EpisodeSummary

TOLERANCE = 0.05
OPPOSED = -0.4
MAX_DELAY = 10  # steps that a gripper may need to follow
STARTS_CLOSED = 0.8


def check_gripper(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    """Check range, motion and polarity of every arm's gripper."""
    findings: list[DatasetFinding] = []
    for arm in context.arms:
        column = arm.action.stop - 1
        commands = [episode.action[:, column] for episode in episodes if len(episode)]
        if not commands:
            continue
        name = context.action_names[column]
        pooled = np.concatenate(commands)
        low, high = float(pooled.min()), float(pooled.max())
        if low < -TOLERANCE or high > 1 + TOLERANCE:
            findings.append(_out_of_range(name, pooled, low, high))
        elif high - low < TOLERANCE:
            fix = "fine for tasks without grasping; otherwise check the gripper topics"
            message = f"never moves (always {low:.2f})"
            findings.append(DatasetFinding("gripper", "warning", name, message, fix))
        else:
            states = None
            if arm.state_gripper is not None:
                states = [e.state[:, arm.state_gripper] for e in episodes if len(e)]
            findings += _polarity(name, commands, states)
    return findings


def _out_of_range(name: str, pooled: FloatColumn, low: float, high: float) -> DatasetFinding:
    resting = float(np.mean(np.abs(pooled) < TOLERANCE))
    if resting > 0.5:
        guess = "looks relative (mostly 0): integrate it to an absolute opening"
    elif low >= -1 - TOLERANCE and high <= 1 + TOLERANCE:
        guess = "looks like -1 .. 1: map it to 0 .. 1 with 1 = open"
    else:
        guess = "map it with the gripper's open and closed values in the embodiment file"
    message = f"spans {low:.3g} .. {high:.3g}, expected 0 (closed) .. 1 (open)"
    return DatasetFinding("gripper", "error", name, message, guess)


def _polarity(
    name: str,
    commands: Sequence[FloatColumn],
    states: Sequence[FloatColumn] | None,
) -> list[DatasetFinding]:
    if states is not None:
        best = strongest_correlation(commands, states)
        if best < OPPOSED:
            message = f"opens when the measured gripper closes (correlation {best:.2f})"
            fix = "swap `open` and `closed` of this gripper in the embodiment file; convert again"
            return [DatasetFinding("gripper", "error", name, message, fix)]
        return []
    moving = [command for command in commands if np.ptp(command) > 0.5]
    closed = sum(bool(command[0] < 0.5) for command in moving)
    if moving and closed > STARTS_CLOSED * len(moving):
        message = f"{share(closed, len(moving))} episodes begin closed: perhaps 1 means closed"
        fix = "check the polarity; expected 1 = open"
        return [DatasetFinding("gripper", "warning", name, message, fix)]
    return []


def strongest_correlation(
    commands: Sequence[FloatColumn],
    states: Sequence[FloatColumn],
) -> float:
    """Return the correlation of largest magnitude of the command with a later state.

    The state is taken 0 to 10 steps after the command, as a gripper needs time to follow.

    Args:
        commands: [T] of each episode.
        states: [T] of each episode.
    """
    best = 0.0
    for delay in range(MAX_DELAY + 1):
        pairs = [
            (c[: len(c) - delay], s[delay:])
            for c, s in zip(commands, states, strict=True)
            if len(c) > delay
        ]
        if not pairs:
            break
        command = np.concatenate([c for c, _ in pairs]).astype(np.float64)
        state = np.concatenate([s for _, s in pairs]).astype(np.float64)
        if np.ptp(command) < TOLERANCE or np.ptp(state) < 1e-6:
            continue
        correlation = float(np.corrcoef(command, state)[0, 1])
        if abs(correlation) > abs(best):
            best = correlation
    return best
