# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plant faults in episodes, and find the one finding they lead to."""

from __future__ import annotations

import dataclasses

import numpy as np

from evla_ros.data.doctor.context import SetContext
from evla_ros.data.doctor.examine import run_checks
from evla_ros.data.doctor.finding import DatasetFinding
from evla_ros.data.doctor.summary import summarize
from evla_ros.data.episode import Episode
from evla_ros.embodiment import load_embodiment

ARM = load_embodiment("tabletop_arm")
STEPS, EPISODES = 40, 8


def diagnose(
    episodes: list[Episode], context: SetContext, *, statistics=False
) -> list[DatasetFinding]:
    summaries = [
        summarize(episode, "val" if index == 0 else "train", index)
        for index, episode in enumerate(episodes)
    ]
    if not statistics:
        context = dataclasses.replace(context, statistics=None)
    found = run_checks(summaries, context)
    return [finding for finding in found if finding.severity != "info"]


def edit(episode: Episode, **columns) -> Episode:
    return dataclasses.replace(episode, **columns)


def with_action(episodes, change):
    """Apply change(action copy, state copy) -> (action, state) to every episode."""
    edited = []
    for episode in episodes:
        action, state = change(episode.action.copy(), episode.observations["state"].copy())
        state = state.astype(np.float32)
        edited.append(
            edit(episode, action=action.astype(np.float32), observations={"state": state})
        )
    return edited


def only(findings: list[DatasetFinding], check: str, severity: str, words: str) -> DatasetFinding:
    matching = [f for f in findings if f.check == check and words in f"{f.where}: {f.message}"]
    assert matching, [f"{f.check}: {f.where}: {f.message}" for f in findings]
    assert matching[0].severity == severity
    assert matching[0].fix
    return matching[0]
