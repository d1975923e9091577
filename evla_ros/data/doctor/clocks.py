# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check the timing: regular ticks, the age of each stream, and pictures that lag behind the arm."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evla_ros.data.doctor.context import SetContext
from evla_ros.data.doctor.finding import DatasetFinding, share
from evla_ros.data.doctor.runs import FloatColumn
from evla_ros.data.doctor.summary import EpisodeSummary

JITTER = 0.2  # of a tick
STALE_TICKS = 2.0
LATE_STEPS = 2
CORRELATED = 0.25
EARLIEST, LATEST = -4, 8


def check_clocks(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    """Check the stamps, the sample ages and the delay of every camera."""
    return _grid(episodes) + _ages(episodes, context) + _camera_delay(episodes, context)


def _grid(episodes: Sequence[EpisodeSummary]) -> list[DatasetFinding]:
    back, uneven = [], []
    for episode in episodes:
        if "stamp_ns" not in episode.columns or len(episode) < 3:
            continue
        ticks = np.diff(episode.columns["stamp_ns"])
        if (ticks <= 0).any():
            back.append(episode.label)
        elif np.abs(ticks - np.median(ticks)).max() > JITTER * np.median(ticks):
            uneven.append(episode.label)
    findings = []
    if back:
        fix = "the clock jumped while recording: synchronise it and record again"
        findings.append(
            DatasetFinding("clock", "error", "stamp_ns", "time runs backwards", fix, tuple(back))
        )
    if uneven:
        message = f"uneven ticks or gaps in {share(len(uneven), len(episodes))} episodes"
        fix = "find the stream that stalled (evla inspect on the bag), or split at the gap"
        findings.append(DatasetFinding("clock", "warning", "stamp_ns", message, fix, tuple(uneven)))
    return findings


def _ages(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    findings: list[DatasetFinding] = []
    keys = sorted({k for e in episodes for k in e.columns if k.endswith(("age_s", "skew_s"))})
    tick = 1.0 / context.rate_hz if context.rate_hz else 0.2
    for key in keys:
        values = [e.columns[key].reshape(len(e), -1) for e in episodes if key in e.columns]
        pooled = np.concatenate(values).astype(np.float64)
        for stream in range(pooled.shape[1]):
            where = context.stream(key, stream)
            median, latest = np.median(pooled[:, stream]), pooled[:, stream].max(initial=0.0)
            if pooled[:, stream].min(initial=0.0) < -1e-6:
                fix = "synchronise the clocks (chrony, PTP) or convert by receive time"
                message = f"stamps lie up to {-pooled[:, stream].min():.3f} s in the future"
                findings.append(DatasetFinding("clock", "error", where, message, fix))
            elif median > STALE_TICKS * tick:
                fix = "the stream is slow or its clock is behind: check its rate and stamps"
                message = f"data is {median:.3f} s old in the median (worst {latest:.3f} s)"
                findings.append(DatasetFinding("clock", "warning", where, message, fix))
    return findings


def _camera_delay(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    findings = []
    for key in sorted({k for e in episodes for k in e.cameras}):
        best, delay = 0.0, 0
        for shift in sorted(range(EARLIEST, LATEST + 1), key=abs):
            correlation = camera_correlation(episodes, context, key, shift)
            if correlation > best + 0.01:
                best, delay = correlation, shift
        if best < CORRELATED or abs(delay) < LATE_STEPS:
            continue
        behind = "behind" if delay > 0 else "ahead of"
        message = (
            f"pictures run {context.steps(abs(delay))} {behind} the arm (correlation {best:.2f})"
        )
        fix = "measure the camera's latency and correct its stamps; the policy acts on old pictures"
        findings.append(DatasetFinding("clock", "warning", context.where(key), message, fix))
    return findings


def camera_correlation(
    episodes: Sequence[EpisodeSummary], context: SetContext, key: str, shift: int
) -> float:
    """Return the correlation of the arms' motion at t with the picture change at t + shift.

    It is computed over all episodes.

    Args:
        episodes: The episodes.
        context: What is known about the dataset.
        key: The camera.
        shift: Steps by which the pictures are taken to lag.
    """
    changes, speeds = [], []
    for episode in episodes:
        if key not in episode.cameras:
            continue
        change = episode.cameras[key].change
        speed = _speed(episode, context)[: len(change)]
        count = len(change) - abs(shift)
        if count < 4 or np.ptp(change) == 0 or np.ptp(speed) == 0:
            continue
        start = max(0, -shift)
        changes.append(_scaled(change[start + shift : start + shift + count]))
        speeds.append(_scaled(speed[start : start + count]))
    if not changes:
        return 0.0
    first, second = np.concatenate(changes), np.concatenate(speeds)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def _scaled(
    values: FloatColumn,
) -> FloatColumn:
    centred = values - np.median(values)
    size = float(np.abs(centred).mean())
    return np.asarray(np.clip(centred / size if size > 0 else centred, -4.0, 4.0))


def _speed(episode: EpisodeSummary, context: SetContext) -> FloatColumn:
    """Return [T]: the metres that the arms moved into each step, summed over the arms."""
    speed = np.zeros(len(episode))
    for arm in context.arms:
        positions = arm.positions(episode.state)
        if positions is not None:
            speed[1:] += np.linalg.norm(np.diff(positions, axis=0), axis=1)
    return speed
