# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Check flags, lengths, language, splits and statistics: faults that loaders do not report."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evla_ros.data.doctor.context import SetContext, fits_proprio
from evla_ros.data.doctor.finding import DatasetFinding, Severity, share
from evla_ros.data.doctor.summary import EpisodeSummary
from evla_ros.data.rlds.narrow_spans import settle
from evla_ros.data.rlds.statistics import StatisticsCollector
from evla_ros.embodiment import proprio_layout

SHORT = 5
FEW = 10  # below, train[95%:] of the loaders is empty


def check_structure(
    episodes: Sequence[EpisodeSummary], context: SetContext
) -> list[DatasetFinding]:
    """Run the checks that need no geometry."""
    return [
        *_language(episodes),
        *_proprio(episodes, context),
        *_lengths(episodes, context),
        *_flags(episodes),
        *_outcome(episodes, context),
        *_splits(episodes),
        *_statistics(episodes, context),
    ]


def _language(episodes: Sequence[EpisodeSummary]) -> list[DatasetFinding]:
    empty = tuple(e.label for e in episodes if not any(t.strip() for t in e.instructions))
    if not empty:
        return []
    everywhere = len(empty) == len(episodes)
    message = f"no instruction in {share(len(empty), len(episodes))} episodes"
    if everywhere:
        message += "; OpenVLA's loader then waits forever"
    fix = "set it with `evla dataset edit --instruction`"
    severity: Severity = "error" if everywhere else "warning"
    return [DatasetFinding("language", severity, "language_instruction", message, fix, empty)]


def _proprio(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    """Compare the size of the state with the embodiment beside the dataset."""
    states = [episode.state for episode in episodes if len(episode)]
    if context.embodiment is None or fits_proprio(context.embodiment, states):
        return []
    found = sorted({state.shape[1] for state in states})
    message = (
        f"{' and '.join(map(str, found))} numbers, embodiment.yaml lists "
        f"{proprio_layout(context.embodiment).size}; what needs the measured pose is not checked"
    )
    fix = "put the embodiment.yaml that these episodes were recorded with beside them"
    return [DatasetFinding("structure", "error", "observation/state", message, fix)]


def _lengths(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    chunk = context.embodiment.action.chunk if context.embodiment is not None else 0
    least = max(SHORT, chunk)
    short = tuple(e.label for e in episodes if len(e) < least)
    if not short:
        return []
    message = f"fewer than {least} steps in {share(len(short), len(episodes))} episodes"
    if chunk > SHORT:
        message += f" (the chunk is {chunk}; OpenVLA-OFT's loader stops at such an episode)"
    fix = "drop them with `evla dataset edit --drop`, or train with a shorter chunk"
    return [DatasetFinding("structure", "warning", "episodes", message, fix, short)]


def _flags(episodes: Sequence[EpisodeSummary]) -> list[DatasetFinding]:
    findings = []
    wrong = []
    for episode in episodes:
        for name, position in (("is_first", 0), ("is_last", -1)):
            flags = episode.columns.get(name)
            if flags is not None and len(flags):
                expected = np.zeros(len(flags), dtype=np.bool_)
                expected[position] = True
                if not np.array_equal(flags.astype(np.bool_), expected):
                    wrong.append(episode.label)
                    break
    if wrong:
        message = f"do not mark exactly the first and last step in {len(wrong)} episodes"
        fix = "the episodes were cut or joined without their flags: convert again"
        where = "is_first, is_last"
        findings.append(DatasetFinding("structure", "warning", where, message, fix, tuple(wrong)))
    return findings


def _outcome(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    failed = tuple(e.label for e in episodes if e.metadata.get("success") is False)
    if not failed or context.name.endswith("_failures"):
        return []
    message = f"{share(len(failed), len(episodes))} episodes failed, and no loader reads that flag"
    fix = "`evla dataset split --failures` moves them to a dataset of their own"
    return [DatasetFinding("structure", "warning", "success", message, fix, failed)]


def _splits(episodes: Sequence[EpisodeSummary]) -> list[DatasetFinding]:
    if any(e.split == "val" for e in episodes) or not episodes:
        return []
    message = "no `val` split: OpenVLA-OFT needs one"
    if len(episodes) <= FEW:
        message += f", and of {len(episodes)} episodes OpenVLA's and Octo's own 5 % are none"
    fix = "`evla dataset split` makes one"
    return [DatasetFinding("structure", "warning", "splits", message, fix)]


def _statistics(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    if context.statistics is None or not context.action_names or not episodes:
        return []
    if not all(np.isfinite(e.action).all() for e in episodes):
        return []
    collector = StatisticsCollector()
    for episode in episodes:
        collector.add(episode.action, None)
    fresh, stored = (
        collector.result(context.statistics["action"].get("mask")),
        {"action": settle(context.statistics["action"])},
    )
    for key in ("mean", "std", "q01", "q99"):
        ours, theirs = np.asarray(fresh["action"][key]), np.asarray(stored["action"][key])
        if ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=1e-3, atol=1e-5):
            message = f"do not belong to these episodes (action {key} differs)"
            fix = "`evla dataset edit` writes a new version with fresh statistics"
            where = "dataset_statistics.json"
            return [DatasetFinding("statistics", "error", where, message, fix)]
    return []
