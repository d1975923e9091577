# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run a node until Ctrl-C or SIGTERM and end it in order; its last command still goes out."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Protocol, TypeVar

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from evla_ros.errors import EvlaError


class Finishing(Protocol):
    """A node that knows how to end."""

    def finish(self) -> None:
        """Publish the last commands and let everything go; called with a valid context."""


N = TypeVar("N", bound=Node)


def run_node(
    make: Callable[[], N],
    arguments: Sequence[str] | None = None,
    started: Callable[[N], None] | None = None,
    make_executor: Callable[[], SingleThreadedExecutor] = SingleThreadedExecutor,
) -> int:
    """Create, spin and finish a node; returns the exit code.

    rclpy's own signal handlers would close the context before a last command could be published.
    Callbacks run in a thread of their own, so that a signal is handled whatever they do.
    """
    rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    ended = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    # A thread that wants the interpreter waits for this long at most: the goal loop is one of them.
    sys.setswitchinterval(0.0005)
    try:
        node = make()
    except EvlaError as error:
        print(f"error: {error}", file=sys.stderr)
        rclpy.try_shutdown()
        return 2
    executor = make_executor()
    executor.add_node(node)
    failures: list[Exception] = []
    thread = threading.Thread(
        target=_spin, args=(executor, ended, failures), name="executor", daemon=True
    )
    if started is not None:
        started(node)
    thread.start()
    while not ended.wait(1.0):
        pass
    for number in (signal.SIGINT, signal.SIGTERM):
        # Ctrl-C reaches a launched node twice; the interpreter's own end would die of the second.
        signal.signal(number, signal.SIG_IGN)
    executor.shutdown(timeout_sec=0.2)
    thread.join(0.5)
    finish = getattr(node, "finish", None)
    if finish is not None:
        finish()
    for failure in failures:
        lines = "".join(traceback.format_exception(failure))
        node.get_logger().fatal(f"a callback failed and ended the node: {lines}")
    node.destroy_node()
    rclpy.try_shutdown()
    return 1 if failures else 0


def _spin(
    executor: SingleThreadedExecutor, ended: threading.Event, failures: list[Exception]
) -> None:
    try:
        executor.spin()
    except ExternalShutdownException:
        return
    except Exception as error:  # noqa: BLE001 - the main thread says it and ends the node in order
        if not ended.is_set():  # an executor that is being shut down fails in its own ways
            failures.append(error)
    finally:
        ended.set()
