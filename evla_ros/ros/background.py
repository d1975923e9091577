# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Slow work of a node in a thread of its own, so that its executor goes on serving."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rclpy.node import Node
from rclpy.task import Future


class Background:
    """One thread that does one thing after the other."""

    def __init__(self, node: Node) -> None:
        """Wake this node's executor whenever something is done."""
        self._node = node
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="background")

    def do(self, action: Callable[[], Any]) -> Future:
        """Begin, after all that was begun before.

        Args:
            action: What takes time; it runs in the thread.

        Returns:
            What a callback can await; it raises what the action raises.
        """
        future: Future = Future()
        self._thread.submit(self._run, action, future)
        return future

    def close(self) -> None:
        """Wait until all is done; nothing can be begun any more."""
        self._thread.shutdown(wait=True)

    def _run(self, action: Callable[[], Any], future: Future) -> None:
        try:
            future.set_result(action())
        except Exception as error:  # noqa: BLE001 - raised where it is awaited
            future.set_exception(error)
        executor = self._node.executor
        if executor is not None:
            executor.wake()
