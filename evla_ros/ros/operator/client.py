# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node that lives for one command: finds nodes by name, asks their services, hears topics."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import rclpy
from rclpy.executors import SingleThreadedExecutor

from evla_ros.errors import EvlaError
from evla_ros.ros.executables import MODULES

if TYPE_CHECKING:
    from typing_extensions import Self

FIND_S = 5.0
_SPIN_S = 0.05


class NotDoneError(EvlaError):
    """What was asked for did not happen: nobody is there, refused, or not answered."""


class OperatorClient:
    """Use as a context manager; names are resolved in the namespace of the robot."""

    def __init__(self, namespace: str = "/") -> None:
        """Enter the graph."""
        self.namespace = f"/{namespace.strip('/')}"
        self._context = rclpy.Context()
        # Ctrl-C is Python's own: nothing here has to be ended in order.
        rclpy.init(args=[], context=self._context)
        self.node = rclpy.create_node(
            f"evla_{os.getpid()}", context=self._context, start_parameter_services=False
        )
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)

    def spin_until(self, condition: Callable[[], object], limit_s: float) -> bool:
        """Serve callbacks until the condition holds; returns whether it did within the limit."""
        end_s = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() >= end_s:
                return False
            self._executor.spin_once(timeout_sec=_SPIN_S)
        return True

    # -- who is there --

    def full_name(self, name: str) -> str:
        """Return the full name of a node: in the robot's namespace unless it is absolute."""
        return name if name.startswith("/") else f"{self.namespace.rstrip('/')}/{name}"

    def nodes(self) -> list[str]:
        """Return the full names of the nodes that are there, without those of commands."""
        found = {
            f"{space.rstrip('/')}/{name}"
            for name, space in self.node.get_node_names_and_namespaces()
        }
        own = self.node.get_fully_qualified_name()
        return sorted(name for name in found if name != own and "/_ros2cli" not in name)

    def find(self, name: str, limit_s: float = FIND_S) -> str:
        """Return the full name of a node once it is there.

        Raises:
            NotDoneError: It is not within the limit; the sentence names those that are.
        """
        wanted = self.full_name(name)
        if self.spin_until(lambda: wanted in self.nodes(), limit_s):
            return wanted
        own = wanted.rsplit("/", 1)[-1]
        start = f"; start it with `evla run {own}`" if own in MODULES else ""
        raise NotDoneError(f"there is no node {wanted} ({self.who_is_there(wanted)}){start}")

    def who_is_there(self, wanted: str = "") -> str:
        """Return in a few words which nodes are there, and how to reach a namesake."""
        nodes = self.nodes()
        domain = os.environ.get("ROS_DOMAIN_ID", "0")
        if not nodes:
            return f"no node at all is seen in ROS_DOMAIN_ID {domain}"
        short = wanted.rsplit("/", 1)[-1]
        twins = [name for name in nodes if short and name.rsplit("/", 1)[-1] == short]
        if twins:
            space = twins[0].rsplit("/", 1)[0] or "/"
            return f"there is {', '.join(twins)}: add --namespace {space}"
        shown = ", ".join(nodes[:12]) + (", ..." if len(nodes) > 12 else "")
        return f"there are {shown}"

    def services_of(self, node: str) -> dict[str, str]:
        """Return the services of a node by their short names, such as `start`, with their types."""
        space, _, name = node.rpartition("/")
        try:
            found = self.node.get_service_names_and_types_by_node(name, space or "/")
        except Exception:  # noqa: BLE001 - NodeNameNonExistentError, whose module differs by distro
            return {}
        prefix = f"{node}/"
        return {
            service.removeprefix(prefix): types[0]
            for service, types in found
            if service.startswith(prefix) and types
        }

    # -- asking --

    def ask(self, node: str, service: str, kind: Any, request: Any, limit_s: float) -> Any:
        """Call a service of a node and return its answer.

        Raises:
            NotDoneError: The service does not appear, its node leaves before it answers, or there
                is no answer within the limit.
        """
        client = self.node.create_client(kind, f"{node}/{service}")
        try:
            if not self.spin_until(client.service_is_ready, FIND_S):
                raise NotDoneError(f"{node} does not serve {service!r}")
            future = client.call_async(request)
            gone = _Absence(lambda: node in self.nodes())
            self.spin_until(lambda: future.done() or gone(), limit_s)
            if future.done():
                return future.result()
            if gone.lasts:
                raise NotDoneError(f"{node} has ended and did not answer {service!r}")
            raise NotDoneError(f"{node} did not answer {service!r} within {limit_s:g} s")
        finally:
            self.node.destroy_client(client)

    def hear(self, kind: Any, topic: str, callback: Callable[[Any], object], qos: Any) -> None:
        """Subscribe until the end."""
        self.node.create_subscription(kind, topic, callback, qos)


class _Absence:
    """Whether a node has been away for a while: the graph is looked at twice a second."""

    _LOOK_S, _GONE_LOOKS = 0.5, 2

    def __init__(self, present: Callable[[], bool]) -> None:
        self._present, self._looked_s, self._missed = present, time.monotonic(), 0

    def __call__(self) -> bool:
        if time.monotonic() - self._looked_s > self._LOOK_S:
            self._looked_s = time.monotonic()
            self._missed = 0 if self._present() else self._missed + 1
        return self.lasts

    @property
    def lasts(self) -> bool:
        return self._missed >= self._GONE_LOOKS
