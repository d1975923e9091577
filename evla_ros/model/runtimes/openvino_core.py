# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVINO's core, one for the whole process, made where it cannot hurt the other threads.

The CPU plugin of OpenVINO 2026.4 gives the thread that loads it a stack for signal handlers, and
unmaps that stack when its core goes, whether the thread still uses it or not. The next signal, be
it Ctrl-C or the end of a child process, then kills the process. So cores are made in threads that
end.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")
_lock = threading.Lock()
_core: list[Any] = []


def core(openvino: Any) -> Any:
    """Return the core of this process, with its CPU plugin loaded; it is never let go.

    Args:
        openvino: the library.
    """
    with _lock:
        if not _core:
            _core.append(in_thread_of_its_own(lambda: _loaded(openvino)))
        return _core[0]


def in_thread_of_its_own(call: Callable[[], T]) -> T:
    """Return what a call returns, or raise what it raises; for whatever makes cores by itself."""
    answers: list[T] = []
    errors: list[BaseException] = []

    def work() -> None:
        try:
            answers.append(call())
        except BaseException as error:  # noqa: BLE001 - raised where it was asked for
            errors.append(error)

    thread = threading.Thread(target=work, daemon=True)  # Ctrl-C does not wait for it
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return answers[0]


def _loaded(openvino: Any) -> Any:
    made = openvino.Core()
    made.get_property("CPU", "FULL_DEVICE_NAME")
    return made
