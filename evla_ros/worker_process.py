# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A process ends with the one that started it, however that one ended."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_LIBC = ctypes.CDLL(None)  # loaded before a fork: after one only what is loaded may be used


def ending(code: int) -> str:
    """Return in words how a process ended.

    Args:
        code: its exit code; a signal N counts as -N, as `subprocess` has it, or 128 + N, as shells
            have it.
    """
    number = -code if code < 0 else code - 128
    if number not in {*signal.Signals}:
        return f"exit code {code}"
    why = "; the memory may not have sufficed" if number == signal.SIGKILL else ""
    return f"ended by {signal.Signals(number).name}{why}"


def end_with_parent() -> None:
    """Make a worker of a pool leave when the parent is gone: a killed parent cannot close its pool.

    Without it workers wait for work for ever, since each of them keeps the queue open.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def end_with_starter() -> None:
    """Ask Linux to end this process (SIGTERM) with the thread that forked it: a `preexec_fn`.

    Elsewhere it does nothing.
    """
    if sys.platform == "linux":
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
