# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several services asked for one command; the answers become one sentence."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from evla_ros.console.server.commands import Ask
from evla_ros.console.server.robot import Done, Robot

_START = {
    "policy": "evla run policy",
    "recorder": "evla run recorder",
    "teleop": "evla run teleop",
    "sim": "evla run sim",
}


def ask_all(robot: Robot, asks: Sequence[Ask], done: Done) -> None:
    """Ask those services that are there; `done` is called once, with success when all succeeded."""
    present = [ask for ask in asks if robot.there(ask.node, ask.service)]
    if not present:
        nodes = " or ".join(dict.fromkeys(f"{ask.node} node" for ask in asks))
        start = asks[0].node
        done(False, f"there is no {nodes}; start one with `{_START[start]}`")
        return
    gathered = _Gathered(len(present), done)
    for ask in present:
        robot.ask(ask.node, ask.service, ask.fields, gathered.take)


class _Gathered:
    """Counts answers that come from any thread."""

    def __init__(self, count: int, done: Done) -> None:
        self._left, self._done = count, done
        self._answers: list[tuple[bool, str]] = []
        self._lock = threading.Lock()

    def take(self, success: bool, sentence: str) -> None:
        with self._lock:
            self._answers.append((success, sentence))
            if len(self._answers) < self._left:
                return
        failed = [text for fine, text in self._answers if not fine]
        said = failed or [text for _, text in self._answers]
        self._done(not failed, "; ".join(dict.fromkeys(filter(None, said))) or "done")
