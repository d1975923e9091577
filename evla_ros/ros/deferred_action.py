# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An action server whose goals end when its node says so, without a callback that waits.

rclpy runs a goal in one callback from its start to its end: it would occupy the thread of a
single-threaded executor, and as a coroutine that waits it is polled without a pause.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from rclpy.action import ActionServer, CancelResponse
from rclpy.node import Node

Outcome = Literal["succeed", "abort", "canceled"]


class DeferredActionServer(ActionServer):
    """Every goal is accepted and handed over; `finish` ends it, with a result that says why."""

    def __init__(
        self, node: Node, action_type: Any, name: str, on_goal: Callable[[Any], None]
    ) -> None:
        """on_goal takes the handle of each accepted goal, which counts as executing from then on.

        A cancel is always granted; the handle says `is_cancel_requested`.
        """
        self._on_goal = on_goal
        super().__init__(
            node,
            action_type,
            name,
            lambda _: None,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    def notify_execute(self, goal_handle: Any, _execute_callback: Any) -> None:
        """Hand the goal over, instead of running a callback."""
        self._on_goal(goal_handle)

    def finish(self, goal_handle: Any, outcome: Outcome, result: Any) -> None:
        """End a goal that is still open."""
        if not goal_handle.is_active:
            return
        if outcome == "canceled" and not goal_handle.is_cancel_requested:
            outcome = "abort"

        def end(handle: Any) -> Any:
            getattr(handle, outcome)()
            return result

        super().notify_execute(goal_handle, end)
