# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Watches the goals while the nodes play; their times become the table."""

from __future__ import annotations

import time
from collections.abc import Callable

from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import Kind, streams_of
from evla_ros.ros.evaluation.client import EvaluationClient
from evla_ros.ros.message_types import message_class
from evla_ros.ros.qos import every_sample


class Observer(EvaluationClient):
    """An evaluation client that also times the goals."""

    def __init__(self, namespace: str, embodiment: Embodiment, check: Callable[[], None]) -> None:
        """Join the graph; `check` raises when a process has ended, and is asked while waiting."""
        self.arrivals_s: list[float] = []
        super().__init__(namespace, embodiment, check)
        streams = streams_of(embodiment)
        first = streams.of_kind(Kind.GOAL)[0]
        kind = message_class(first.type)
        self._node.create_subscription(kind, first.topic, self._on_timed_goal, every_sample())

    def _on_timed_goal(self, _: object) -> None:
        if self.policy is not None and self.policy.moving:
            self.arrivals_s.append(time.perf_counter())
