# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check for rotations that are differences of Euler angles, and for invalid quaternions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evla_ros.data.doctor.context import SetContext
from evla_ros.data.doctor.finding import DatasetFinding, share
from evla_ros.data.doctor.summary import EpisodeSummary

WRAP_RAD = 2 * np.pi - 1.0
LARGE_RAD = 1.0
UNIT = 1e-2


def check_rotation(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    """Check the rotation columns of actions and states, per arm."""
    findings: list[DatasetFinding] = []
    for arm in context.arms:
        columns = slice(arm.action.start + 3, arm.action.start + 6)
        worst = {e.label: np.abs(e.action[:, columns]).max(initial=0.0) for e in episodes}
        wraps = tuple(label for label, value in worst.items() if value > WRAP_RAD)
        large = tuple(label for label, value in worst.items() if LARGE_RAD < value <= WRAP_RAD)
        where = f"{arm.name} rotation action"
        if wraps:
            message = f"steps of nearly 2 pi in {share(len(wraps), len(episodes))} episodes"
            fix = "differences of Euler angles: use the delta on SO(3), as `evla convert` does"
            findings.append(DatasetFinding("rotation", "error", where, message, fix, wraps))
        if large:
            top = max(worst[label] for label in large)
            message = f"steps of up to {top:.2f} rad in {share(len(large), len(episodes))} episodes"
            fix = "degrees, a tracking jump or a wrap: look at these episodes"
            findings.append(DatasetFinding("rotation", "warning", where, message, fix, large))
        if arm.rotation_kind == "quaternion" and arm.state_rotation is not None:
            findings += _quaternions(f"{arm.name} state quaternion", arm.state_rotation, episodes)
    return findings


def _quaternions(
    where: str, columns: slice, episodes: Sequence[EpisodeSummary]
) -> list[DatasetFinding]:
    not_unit, flips = [], []
    for episode in episodes:
        q = episode.state[:, columns].astype(np.float64)
        if (np.abs(np.linalg.norm(q, axis=1) - 1.0) > UNIT).any():
            not_unit.append(episode.label)
        elif ((q[1:] * q[:-1]).sum(axis=1) < 0).any():
            flips.append(episode.label)
    findings = []
    if not_unit:
        message = f"has not length 1 in {share(len(not_unit), len(episodes))} episodes"
        fix = "check which state numbers hold the quaternion (x y z w)"
        findings.append(DatasetFinding("rotation", "error", where, message, fix, tuple(not_unit)))
    if flips:
        message = f"flips its sign in {share(len(flips), len(episodes))} episodes (same rotation)"
        fix = "keep the sign of the previous step when writing; the model sees a jump"
        findings.append(DatasetFinding("rotation", "warning", where, message, fix, tuple(flips)))
    return findings
