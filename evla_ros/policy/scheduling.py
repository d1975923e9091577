# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which cores and which priority a thread gets: what keeps the robot safe goes before inference."""

from __future__ import annotations

import os
from pathlib import Path


def spare_cores() -> int:
    """Return how many cores inference may take: all that this process may use but one.

    It is at least one. With a thread on every core inference would wait, in each layer, for the one
    that another process pushed aside.
    """
    return max(1, len(os.sched_getaffinity(0)) - 1)


def first_in_line(priority: int) -> str:
    """Put every present thread of this process under real-time scheduling (SCHED_FIFO).

    Threads that are started later inherit it from the thread that starts them.

    Args:
        priority: 1 to 99, higher runs first; 0 or less changes nothing.

    Returns:
        Why it could not be done, as a sentence; empty when it was done or not asked for.
    """
    if priority <= 0:
        return ""
    try:
        for task in Path("/proc/self/task").iterdir():
            os.sched_setscheduler(int(task.name), os.SCHED_FIFO, os.sched_param(priority))
    except (OSError, ValueError) as error:
        return (
            f"real-time priority {priority} is not permitted ({error}); allow it with "
            "`rtprio` in /etc/security/limits.conf"
        )
    return ""


def as_usual() -> None:
    """Put the calling thread, and the threads that it starts, under ordinary scheduling."""
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def keep_to_itself() -> None:
    """Leave the calling thread as it is; the threads that it starts get ordinary scheduling."""
    policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
    os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, os.sched_getparam(0))
