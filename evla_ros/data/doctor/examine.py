# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs every check over a dataset and collects what they say."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from evla_ros.data.doctor.actions import check_actions
from evla_ros.data.doctor.cameras import check_cameras
from evla_ros.data.doctor.clocks import check_clocks
from evla_ros.data.doctor.context import SetContext, context_of
from evla_ros.data.doctor.duplicates import check_duplicates
from evla_ros.data.doctor.finding import SEVERITIES, Finding
from evla_ros.data.doctor.gripper import check_gripper
from evla_ros.data.doctor.motion import check_motion
from evla_ros.data.doctor.rotation import check_rotation
from evla_ros.data.doctor.structure import check_structure
from evla_ros.data.doctor.summary import EpisodeSummary, summarize
from evla_ros.data.doctor.tracking import check_tracking
from evla_ros.data.image_resize import ImageError
from evla_ros.data.rlds.errors import CorruptRecordError
from evla_ros.data.rlds.reader import RldsDataset

Check = Callable[[Sequence[EpisodeSummary], SetContext], list[Finding]]
ON_ALL: tuple[Check, ...] = (check_structure, check_actions)
ON_FINITE: tuple[Check, ...] = (
    check_gripper,
    check_rotation,
    check_tracking,
    check_motion,
    check_cameras,
    check_clocks,
    check_duplicates,
)


@dataclass(frozen=True)
class Examination:
    """All findings, worst first, and what they were drawn from."""

    findings: tuple[Finding, ...]
    episodes: tuple[EpisodeSummary, ...]
    context: SetContext

    def count(self, severity: str) -> int:
        """How many findings are of this severity."""
        return sum(finding.severity == severity for finding in self.findings)


def examine(
    dataset: RldsDataset, progress: Callable[[int, int], None] | None = None
) -> Examination:
    """Look at every episode of every split; `progress` is told (done, total).

    Damaged records and pictures become findings; the rest is still looked at.
    """
    damaged: list[Finding] = []
    episodes = []
    total = sum(dataset.splits.values())
    for done, (split, index) in enumerate(_all(dataset), start=1):
        try:
            episodes.append(summarize(dataset.episode(split, index), split, index))
        except (CorruptRecordError, ImageError) as error:
            fix = "restore the file from its source or convert again"
            label = f"{split}/{index}"
            damaged.append(Finding("record", "error", label, str(error), fix, (label,)))
        if progress is not None:
            progress(done, total)
    context = context_of(dataset, episodes)
    findings = damaged + run_checks(episodes, context)
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return Examination(tuple(findings), tuple(episodes), context)


def run_checks(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[Finding]:
    """Run all checks; those that calculate see only the episodes whose numbers are finite."""
    finite = [e for e in episodes if np.isfinite(e.action).all() and np.isfinite(e.state).all()]
    findings = [finding for check in ON_ALL for finding in check(episodes, context)]
    return findings + [finding for check in ON_FINITE for finding in check(finite, context)]


def _all(dataset: RldsDataset) -> Iterator[tuple[str, int]]:
    for split, count in dataset.splits.items():
        for index in range(count):
            yield split, index
