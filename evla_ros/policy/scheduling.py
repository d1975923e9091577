# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cores and turns: first in line for what keeps the robot safe, as usual for inference."""

from __future__ import annotations

import os
from pathlib import Path


def spare_cores() -> int:
    """Return how many cores inference may take: all that this process may use but one, or one.

    On every core it would wait in each layer for the thread that another process pushed aside.
    """
    usable = getattr(os, "sched_getaffinity", lambda _pid: range(os.cpu_count() or 1))(0)
    return max(1, len(usable) - 1)


def first_in_line(priority: int) -> str:
    """Put every present thread of this process under SCHED_FIFO; returns why not, '' when done.

    Threads started later inherit it from the one that starts them.
    """
    if priority <= 0:
        return ""
    if not hasattr(os, "sched_setscheduler"):
        return "this system has no real-time scheduling"
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
    """Put the calling thread, and what it starts, under ordinary scheduling."""
    if hasattr(os, "sched_setscheduler"):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


def keep_to_itself() -> None:
    """Leave the calling thread as it is, and put only what it starts under ordinary scheduling."""
    if not hasattr(os, "sched_setscheduler"):
        return
    policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
    os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, os.sched_getparam(0))
