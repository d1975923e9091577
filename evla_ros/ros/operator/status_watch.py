# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Finds every policy and recorder node, hears their status, and asks for their lifecycle state."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from lifecycle_msgs.srv import GetState

from evla_ros.msg import PolicyStatus, RecorderStatus
from evla_ros.ros.operator.client import OperatorClient
from evla_ros.ros.operator.status_report import policy_row, recorder_row
from evla_ros.ros.qos import latched

_SILENT_S = 3.0


class _Kind(NamedTuple):
    """message: class of its status; type: its name in the graph; row: makes data of one."""

    message: Any
    type: str
    row: Callable[[Any], dict[str, Any]]


_KINDS = {
    "policy": _Kind(PolicyStatus, "evla_ros/msg/PolicyStatus", policy_row),
    "recorder": _Kind(RecorderStatus, "evla_ros/msg/RecorderStatus", recorder_row),
}


class _Node:
    """One node: its newest status and its state, as far as they are known."""

    def __init__(self, client: OperatorClient, name: str, kind: _Kind) -> None:
        self.name, self.kind = name, kind
        self._status: Any = None
        self._heard_s = 0.0
        self.state = ""
        self.present = True
        self._client = client
        self._states = client.node.create_client(GetState, f"{name}/get_state")
        self._asked: Any = None
        client.hear(kind.message, f"{name}/status", self._take, latched())

    def _take(self, message: Any) -> None:
        self._status, self._heard_s = message, time.monotonic()

    def ask(self) -> None:
        """Ask for the state anew, one question at a time."""
        if self._asked is not None and self._asked.done():
            self.state, self._asked = self._asked.result().current_state.label, None
        if self._asked is None and self._states.service_is_ready():
            self._asked = self._states.call_async(GetState.Request())

    @property
    def known(self) -> bool:
        """Whether there is something to show: a state, and a status where the node has one."""
        return bool(self.state) and (self._status is not None or self.state != "active")

    def row(self) -> dict[str, Any]:
        """Return what is known."""
        row: dict[str, Any] = {"node": self.name, "state": self.state or "no answer"}
        if not self.present:
            return {**row, "state": "gone", "note": "the node has left the graph"}
        if self.state == "unconfigured":
            note = f"It is not configured: `evla call {self.name} configure`."
            return {**row, "note": note}
        if self._status is not None:
            row |= self.kind.row(self._status)
            silent_s = time.monotonic() - self._heard_s
            if self.state == "active" and silent_s > _SILENT_S:
                row["note"] = f"its last status is {silent_s:.0f} s old: the node does not answer"
        if self.state == "inactive":
            row["note"] = f"It is not active: `evla call {self.name} activate`."
        return row


class StatusWatch:
    """Looks for nodes again and again while `rows` is asked for."""

    def __init__(self, client: OperatorClient, *, everywhere: bool) -> None:
        """everywhere: nodes of every namespace, not only of the client's own."""
        self._client, self._everywhere = client, everywhere
        self._nodes: dict[str, _Node] = {}

    def look(self) -> bool:
        """Find nodes and ask them; returns whether all that are there are known."""
        present = set(self._client.nodes())
        for name in present - set(self._nodes):
            kind = self._kind_of(name)
            if kind is not None:
                self._nodes[name] = _Node(self._client, name, kind)
        for name, node in self._nodes.items():
            node.present = name in present
            node.ask()
        return bool(self._nodes) and all(node.known for node in self._nodes.values())

    def rows(self) -> list[dict[str, Any]]:
        """Return what is known of each node, by name."""
        return [self._nodes[name].row() for name in sorted(self._nodes)]

    def _kind_of(self, name: str) -> _Kind | None:
        space = name.rpartition("/")[0] or "/"
        if not self._everywhere and space != self._client.namespace:
            return None
        if "change_state" not in self._client.services_of(name):
            return None
        published = dict(self._published(name))
        for kind in _KINDS.values():
            if published.get(f"{name}/status") == kind.type:
                return kind
        return _KINDS.get(name.rpartition("/")[2])

    def _published(self, name: str) -> list[tuple[str, str]]:
        space, _, short = name.rpartition("/")
        try:
            ask = partial(self._client.node.get_publisher_names_and_types_by_node, short)
            return [(topic, types[0]) for topic, types in ask(space or "/")]
        except Exception:  # noqa: BLE001 - it has just left
            return []
