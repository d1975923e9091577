# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Collect the records of an evaluation while they come, and tell how far it is."""

from __future__ import annotations

from collections.abc import Iterable

from evla_ros.errors import EvlaError
from evla_ros.interruption import sigterm_interrupts
from evla_ros.sim.evaluation.progress import Progress
from evla_ros.sim.evaluation.record import EpisodeRecord


def collect_records(
    playing: Iterable[EpisodeRecord], count: int, *, quiet: bool
) -> tuple[list[EpisodeRecord], bool]:
    """Return the records, and whether Ctrl-C or SIGTERM ended it before all were played.

    Args:
        playing: what plays; nothing is played before it is asked.
        count: how many episodes there are.
        quiet: no progress on stderr.

    Raises:
        EvlaError: interrupted before the first episode was over.
    """
    records: list[EpisodeRecord] = []
    interrupted = False
    progress = Progress(count, quiet=quiet)
    try:
        with sigterm_interrupts():
            for record in playing:
                records.append(record)
                progress.show(records)
    except KeyboardInterrupt:  # what was played is reported
        interrupted = True
    progress.end()
    if not records:
        raise EvlaError("interrupted before the first episode was over; nothing to report")
    return records, interrupted
