# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""rclpy's executor, which goes on when a request or a message cannot be taken.

The guard around our callbacks cannot help there: rclpy turns bytes into requests before it calls
back (Humble raises where a text is not UTF-8), and serves parameters and transitions by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.executors import SingleThreadedExecutor
from rclpy.logging import get_logger

try:
    from rclpy.exceptions import InvalidHandle
except ImportError:  # Humble
    from rclpy.handle import InvalidHandle


class GuardedExecutor(SingleThreadedExecutor):
    """What cannot be taken is dropped with one line in the log; who asked gets no answer."""

    def _take_subscription(self, sub: Any) -> Any:
        return taken(super()._take_subscription, sub)

    def _take_service(self, srv: Any) -> Any:
        execute = taken(super()._take_service, srv)

        async def answer() -> None:
            try:
                await execute()
            except InvalidHandle:  # who answers late may have destroyed the service meanwhile
                get_logger("executor").warning("a service ended before it could answer")

        return None if execute is None else answer

    def _take_client(self, client: Any) -> Any:
        return taken(super()._take_client, client)

    def _take_waitable(self, waitable: Any) -> Any:
        return taken(super()._take_waitable, waitable)


def taken(take: Callable[[Any], Any], entity: Any) -> Any:
    """Return what `take` returns; None where it raises, with a line in the log.

    There is nothing to say of an entity that was destroyed meanwhile.
    """
    try:
        return take(entity)
    except InvalidHandle:
        return None
    except Exception as error:  # noqa: BLE001 - rclpy would end the executor, with it the node
        what = f"{type(error).__name__}: {error}"
        get_logger("executor").error(
            f"{_name_of(entity)}: cannot be read and is dropped: {what}",
            throttle_duration_sec=1.0,
        )
        return None


def _name_of(entity: Any) -> str:
    """Return the entity's topic or service; its kind where it has none, or was destroyed."""
    for name in ("topic_name", "srv_name"):
        try:
            return str(getattr(entity, name))
        except (AttributeError, InvalidHandle):
            continue
    return type(entity).__name__
