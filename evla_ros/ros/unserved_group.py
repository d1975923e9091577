# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A callback group that no executor serves: its messages are taken when they are wanted."""

from __future__ import annotations

from typing import Any

from rclpy.callback_groups import CallbackGroup


class UnservedGroup(CallbackGroup):
    """The middleware keeps the newest message of each subscription until somebody takes it."""

    def can_execute(self, _entity: Any) -> bool:
        """Return that it is not this one's turn."""
        return False

    def beginning_execution(self, _entity: Any) -> bool:
        """Return that it may not begin."""
        return False

    def ending_execution(self, _entity: Any) -> None:
        """Nothing has begun."""
