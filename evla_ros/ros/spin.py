# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run a node until Ctrl-C or SIGTERM and end it in order; its last command still goes out."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Generic, NoReturn, TypeVar

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from evla_ros.errors import EvlaError
from evla_ros.ros.executables import REFUSED
from evla_ros.ros.guarded_executor import GuardedExecutor

N = TypeVar("N", bound=Node)


def run_node(
    make: Callable[[], N],
    arguments: Sequence[str] | None = None,
    started: Callable[[N], bool] | None = None,
    make_executor: Callable[[], SingleThreadedExecutor] = GuardedExecutor,
) -> int:
    """Create, spin and finish a node.

    rclpy's own signal handlers would close the context before a last command could be published.
    Callbacks run in a thread of their own, so that a signal is handled whatever they do.

    Args:
        make: Creates the node.
        arguments: ROS arguments; None takes those of the process.
        started: What the node does before its first callback; False ends it as refused.
        make_executor: Creates what serves its callbacks.

    Returns:
        The exit code: 0 ended when asked to, 1 failed, 2 refused its settings.
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
        return REFUSED
    life = _Life(node, make_executor(), started, ended)
    while not ended.wait(1.0):
        pass
    for number in (signal.SIGINT, signal.SIGTERM):
        # Ctrl-C reaches a launched node twice; the interpreter's own end would die of the second.
        signal.signal(number, signal.SIG_IGN)
    return life.end()


class _Life(Generic[N]):
    """A node's callbacks in a thread of their own, from its first one to its orderly end."""

    def __init__(
        self,
        node: N,
        executor: SingleThreadedExecutor,
        started: Callable[[N], bool] | None,
        ended: threading.Event,
    ) -> None:
        """Begin; `ended` is set when the node has nothing more to do."""
        self._node, self._executor = node, executor
        self._started, self._ended = started, ended
        self._failure: Exception | None = None
        self._refused = False
        executor.add_node(node)
        self._thread = threading.Thread(target=self._live, name="executor", daemon=True)
        self._thread.start()

    def _live(self) -> None:
        try:
            if self._started is not None and not self._started(self._node):
                self._refused = True
                return
            self._executor.spin()
        except ExternalShutdownException:
            return
        except Exception as error:  # noqa: BLE001 - the main thread says it and ends in order
            if not self._ended.is_set():  # an executor that is shut down fails in its own ways
                self._failure = error
        finally:
            self._ended.set()

    def end(self) -> int:
        """Send the last command, let everything go and return the exit code."""
        node = self._node
        for last in _method(node, "hold"):
            last()  # at once: what follows waits for threads
        self._executor.shutdown(timeout_sec=0.2)
        self._thread.join(0.5)
        if self._thread.is_alive() and not getattr(node, "active", True):
            _leave(node, "it was asked to end while it was still getting ready")
        for finish in _method(node, "finish"):
            finish()
        if self._failure is not None:
            lines = "".join(traceback.format_exception(self._failure))
            node.get_logger().fatal(f"a callback failed and ended the node: {lines}")
        node.destroy_node()
        rclpy.try_shutdown()
        if self._refused:
            return REFUSED
        return 0 if self._failure is None else 1


def _method(node: Node, name: str) -> list[Callable[[], None]]:
    """Return the node's method of that name, where it has one."""
    method = getattr(node, name, None)
    return [] if method is None else [method]


def _leave(node: Node, why: str) -> NoReturn:
    """End the process at once: nothing of it is published, and loading cannot be interrupted."""
    node.get_logger().warning(f"{why}; nothing was published")
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(0)
