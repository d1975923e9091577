# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run every check over a dataset and collect the findings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from evla_ros.data.doctor.actions import check_actions
from evla_ros.data.doctor.cameras import check_cameras
from evla_ros.data.doctor.clocks import check_clocks
from evla_ros.data.doctor.context import SetContext, context_of
from evla_ros.data.doctor.duplicates import check_duplicates
from evla_ros.data.doctor.finding import SEVERITIES, DatasetFinding
from evla_ros.data.doctor.gripper import check_gripper
from evla_ros.data.doctor.motion import check_motion
from evla_ros.data.doctor.published import as_trained, published_name
from evla_ros.data.doctor.rotation import check_rotation
from evla_ros.data.doctor.structure import check_structure
from evla_ros.data.doctor.summary import EpisodeSummary, summarize
from evla_ros.data.doctor.tracking import check_tracking
from evla_ros.data.image_resize import ImageError
from evla_ros.data.rlds.errors import CorruptRecordError
from evla_ros.data.rlds.reader import RldsDataset

Check = Callable[[Sequence[EpisodeSummary], SetContext], list[DatasetFinding]]
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

ON_ACTIONS: tuple[Check, ...] = (
    check_actions,
    check_gripper,
    check_rotation,
    check_tracking,
    check_motion,
)


@dataclass(frozen=True)
class Examination:
    """All findings, the worst first, with the episodes and the context they come from."""

    findings: tuple[DatasetFinding, ...]
    episodes: tuple[EpisodeSummary, ...]
    context: SetContext

    def count(self, severity: str) -> int:
        """Return how many findings have this severity."""
        return sum(finding.severity == severity for finding in self.findings)


def examine(
    dataset: RldsDataset, progress: Callable[[int, int], None] | None = None
) -> Examination:
    """Check every episode of every split.

    A damaged record or picture becomes a finding, and the rest is still checked.

    Args:
        dataset: The dataset.
        progress: Called with (episodes done, episodes in all).
    """
    name, damaged = published_name(dataset)
    episodes = []
    total = sum(dataset.splits.values())
    for done, (split, index) in enumerate(_all(dataset), start=1):
        try:
            episode = as_trained(name, dataset.episode(split, index))
            episodes.append(summarize(episode, split, index))
        except (CorruptRecordError, ImageError) as error:
            fix = "restore the file from its source or convert again"
            label = f"{split}/{index}"
            damaged.append(DatasetFinding("record", "error", label, str(error), fix, (label,)))
        if progress is not None:
            progress(done, total)
    context = context_of(dataset, episodes)
    findings = damaged + run_checks(episodes, context)
    findings.sort(key=lambda finding: SEVERITIES.index(finding.severity))
    return Examination(tuple(findings), tuple(episodes), context)


def run_checks(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    """Run all checks; those that calculate only get the episodes whose numbers are finite."""
    finite = [e for e in episodes if np.isfinite(e.action).all() and np.isfinite(e.state).all()]
    acts = not episodes or episodes[0].action.shape[1] > 0
    on_all = ON_ALL if acts else tuple(check for check in ON_ALL if check not in ON_ACTIONS)
    on_finite = tuple(check for check in ON_FINITE if acts or check not in ON_ACTIONS)
    findings = [finding for check in on_all for finding in check(episodes, context)]
    return findings + [finding for check in on_finite for finding in check(finite, context)]


def _all(dataset: RldsDataset) -> Iterator[tuple[str, int]]:
    for split, count in dataset.splits.items():
        for index in range(count):
            yield split, index
