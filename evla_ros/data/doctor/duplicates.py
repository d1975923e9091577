# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check for episodes that are copies: they count double, and may be in both `train` and `val`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evla_ros.data.doctor.context import SetContext
from evla_ros.data.doctor.finding import DatasetFinding
from evla_ros.data.doctor.runs import FloatColumn
from evla_ros.data.doctor.summary import EpisodeSummary

POINTS = 16
NEAR_PATH = 0.01  # fraction of the path's size
NEAR_PICTURE = 3.0  # of 255
MOST_EPISODES = 4000  # pairs beyond that would not fit in memory


def check_duplicates(episodes: Sequence[EpisodeSummary], _: SetContext) -> list[DatasetFinding]:
    """Compare every pair of episodes by resampled actions, states and first picture."""
    long_enough = [e for e in episodes if len(e) > 1][:MOST_EPISODES]
    if len(long_enough) < 2:
        return []
    paths = np.stack([_path(e) for e in long_enough])
    squares = (paths**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares[None, :] - 2 * paths @ paths.T, 0.0)
    size = np.minimum(squares[:, None], squares[None, :])
    near = np.triu(distances < NEAR_PATH**2 * size + 1e-12, k=1)
    findings: list[DatasetFinding] = []
    leaks: list[str] = []
    copies: list[str] = []
    for first, second in np.argwhere(near):
        a, b = long_enough[int(first)], long_enough[int(second)]
        if _first_picture_differs(a, b):
            continue
        (leaks if a.split != b.split else copies).append(f"{a.label} = {b.label}")
    if leaks:
        message = f"{len(leaks)} pairs of nearly equal episodes lie in different splits"
        fix = "drop one of each pair; validation on it would measure memory"
        findings.append(
            DatasetFinding("duplicate", "error", "episodes", message, fix, tuple(leaks))
        )
    if copies:
        message = f"{len(copies)} pairs of nearly equal episodes"
        fix = "drop one of each pair with `evla dataset edit --drop`"
        findings.append(
            DatasetFinding("duplicate", "warning", "episodes", message, fix, tuple(copies))
        )
    return findings


def _path(episode: EpisodeSummary) -> FloatColumn:
    values = np.concatenate([np.cumsum(episode.action, axis=0), episode.state], axis=1)
    at = np.linspace(0, len(values) - 1, POINTS)
    columns = [np.interp(at, np.arange(len(values)), column) for column in values.T]
    return np.concatenate([*columns, [len(values) / 10.0]])


def _first_picture_differs(first: EpisodeSummary, second: EpisodeSummary) -> bool:
    for key in set(first.cameras) & set(second.cameras):
        one = first.cameras[key].thumbnails[0].astype(np.float32)
        if np.abs(one - second.cameras[key].thumbnails[0]).mean() > NEAR_PICTURE:
            return True
    return False
