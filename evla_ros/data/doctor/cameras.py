# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check for cameras that are frozen, black, identical to another, or swapped."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from evla_ros.data.doctor.context import SetContext
from evla_ros.data.doctor.finding import DatasetFinding, share
from evla_ros.data.doctor.motion import idle_flags
from evla_ros.data.doctor.runs import longest_run
from evla_ros.data.doctor.summary import MAX_FRAMES, CameraTrace, EpisodeSummary

DARK, FLAT = 12.0, 4.0  # mean brightness and deviation, of 255
FROZEN_STEPS = 8
TYPICAL_EPISODES = 4


def check_cameras(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    """Run every camera check."""
    findings: list[DatasetFinding] = []
    for key in sorted({key for episode in episodes for key in episode.cameras}):
        shown = [episode for episode in episodes if key in episode.cameras]
        findings += _frozen(key, shown, context)
        findings += _black(key, shown, context)
    findings += _same_picture(episodes, context)
    findings += _swapped(episodes, context)
    return findings


def _frozen(
    key: str, episodes: Sequence[EpisodeSummary], context: SetContext
) -> list[DatasetFinding]:
    worst, found = 0, []
    for episode in episodes:
        still = episode.cameras[key].repeats & ~idle_flags(episode, context)
        still[:MAX_FRAMES] &= ~_empty(
            episode.cameras[key]
        )  # black pictures are reported separately
        run = longest_run(still)
        if run >= FROZEN_STEPS or (len(episode) > 2 and run >= len(episode) - 2):
            found.append(episode.label)
            worst = max(worst, run)
    if not found:
        return []
    message = (
        f"the picture stands still while the arm moves, for up to {context.steps(worst)}, in "
        f"{share(len(found), len(episodes))} episodes"
    )
    fix = "check the camera's cable and rate, lower its max_age_s, and record these again"
    return [DatasetFinding("camera", "error", context.where(key), message, fix, tuple(found))]


def _black(
    key: str, episodes: Sequence[EpisodeSummary], context: SetContext
) -> list[DatasetFinding]:
    found, whole = [], 0
    for episode in episodes:
        empty = _empty(episode.cameras[key])
        if empty.any():
            found.append(episode.label)
            whole += bool(empty.all())
    if not found:
        return []
    message = (
        f"black or single-coloured pictures in {share(len(found), len(episodes))} episodes, "
        f"{whole} of them throughout"
    )
    fix = "check lens cap, exposure and the camera's start-up time; drop these episodes"
    if whole == len(episodes):
        fix = "nothing is connected here: leave this camera out of the embodiment file"
    return [DatasetFinding("camera", "error", context.where(key), message, fix, tuple(found))]


def _empty(trace: CameraTrace) -> npt.NDArray[np.bool_]:
    dark = (trace.brightness < DARK) & (trace.deviation < DARK)
    return np.asarray(dark | (trace.deviation < FLAT))


def _same_picture(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    findings = []
    for first, second in _pairs(episodes):
        found = [
            episode.label
            for episode in _with(episodes, first, second)
            if np.array_equal(episode.cameras[first].thumbnails, episode.cameras[second].thumbnails)
            and episode.cameras[first].deviation.max(initial=0.0) > FLAT
        ]
        if found:
            where = f"{context.where(first)} and {context.where(second)}"
            fix = "both topics carry the same camera: correct the embodiment file or the driver"
            message = "show the same pictures"
            findings.append(DatasetFinding("camera", "error", where, message, fix, tuple(found)))
    return findings


def _swapped(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    findings = []
    for first, second in _pairs(episodes):
        both = _with(episodes, first, second)
        if len(both) < TYPICAL_EPISODES:
            continue
        looks = {key: np.stack([_look(e, key) for e in both]) for key in (first, second)}
        typical = {key: np.median(looks[key], axis=0) for key in (first, second)}
        straight = _distance(looks[first], typical[first]) + _distance(
            looks[second], typical[second]
        )
        crossed = _distance(looks[first], typical[second]) + _distance(
            looks[second], typical[first]
        )
        apart = 2.0 * float(np.abs(typical[first] - typical[second]).mean())
        if float(np.median(straight)) > 0.5 * apart:
            continue  # scenes change more from episode to episode than from camera to camera
        found = tuple(e.label for e, odd in zip(both, crossed < 0.6 * straight, strict=True) if odd)
        if found:
            where = f"{context.where(first)} and {context.where(second)}"
            message = f"look swapped in {share(len(found), len(both))} episodes"
            fix = "the cameras were exchanged while recording: fix their device names, drop these"
            findings.append(DatasetFinding("camera", "error", where, message, fix, found))
    return findings


def _look(episode: EpisodeSummary, key: str) -> npt.NDArray[np.float32]:
    """Return the mean picture of an episode, without its overall brightness."""
    mean = episode.cameras[key].thumbnails.mean(axis=0, dtype=np.float32)
    return np.asarray(mean - mean.mean(), dtype=np.float32)


def _distance(
    looks: npt.NDArray[np.float32], typical: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    return np.asarray(np.abs(looks - typical).mean(axis=(1, 2, 3)), dtype=np.float32)


def _pairs(episodes: Sequence[EpisodeSummary]) -> list[tuple[str, str]]:
    keys = sorted({key for episode in episodes for key in episode.cameras})
    return list(itertools.combinations(keys, 2))


def _with(episodes: Sequence[EpisodeSummary], *keys: str) -> list[EpisodeSummary]:
    return [episode for episode in episodes if all(key in episode.cameras for key in keys)]
