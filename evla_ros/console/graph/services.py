# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The services that the console asks, each answered once: by the node, or by a sentence why not."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rclpy.node import Node
from std_srvs.srv import Trigger

from evla_ros.console.server.robot import Done
from evla_ros.ros import callbacks
from evla_ros.ros.security.access import CONSOLE_RECORDER_SERVICES
from evla_ros.srv import ResetSim, SetInstruction

_TRIGGERS = {
    "policy": ("start", "stop", "reset_estop"),
    "teleop": ("stop", "reset_estop"),
    "recorder": CONSOLE_RECORDER_SERVICES,
}
# What each node is asked, by the type of the service.
SERVICES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        **{node: dict.fromkeys(names, Trigger) for node, names in _TRIGGERS.items()},
        "sim": {"reset": ResetSim},
    }
)
_INSTRUCTED = ("policy", "recorder")
_LIMIT_S: Mapping[str, float] = MappingProxyType({"stop": 2.0, "keep": 120.0, "discard": 120.0})
_USUAL_S, _LOOK_S = 15.0, 0.25


class Services:
    """Asks at once, from any thread; answers come from the executor's."""

    def __init__(self, node: Node, names: Mapping[str, str]) -> None:
        """Make the clients; `names`: what the nodes are called here."""
        self._names = names
        self._clients: dict[tuple[str, str], Any] = {}
        for role, services in SERVICES.items():
            more = {"set_instruction": SetInstruction} if role in _INSTRUCTED else {}
            for service, kind in {**services, **more}.items():
                client = node.create_client(kind, f"{names[role]}/{service}")
                self._clients[role, service] = client
        self._open: dict[int, tuple[float, str, Done]] = {}
        self._number, self._lock = 0, threading.Lock()
        callbacks.repeat(node, _LOOK_S, self._look)

    def there(self, node: str, service: str) -> bool:
        """Return whether a service can be asked."""
        client = self._clients.get((node, service))
        return client is not None and bool(client.service_is_ready())

    def ask(self, node: str, service: str, fields: Mapping[str, Any], done: Done) -> None:
        """Ask; `done` is called once."""
        client = self._clients[node, service]
        limit_s = _LIMIT_S.get(service, _USUAL_S)
        with self._lock:
            self._number += 1
            number = self._number
            late = f"{self._names[node]} did not answer {service!r} within {limit_s:g} s"
            self._open[number] = (time.monotonic() + limit_s, late, done)
        future = client.call_async(client.srv_type.Request(**fields))

        def answered(future: Any) -> None:
            if self._take(number) is None:
                return
            try:
                answer = future.result()
                done(bool(answer.success), str(answer.message))
            except Exception as error:  # noqa: BLE001 - whatever it is, the page is told
                done(False, f"{self._names[node]} could not be asked: {error}")

        future.add_done_callback(answered)

    def _take(self, number: int) -> tuple[float, str, Done] | None:
        with self._lock:
            return self._open.pop(number, None)

    def _look(self) -> None:
        """Answer in place of nodes that do not."""
        now_s = time.monotonic()
        with self._lock:
            late = [number for number, (until_s, _, _) in self._open.items() if now_s > until_s]
        for number in late:
            found = self._take(number)
            if found is not None:
                found[2](False, found[1])
