# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the teleoperation node hears of the base and the axes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from evla_ros.control.reasons import Reason
from evla_ros.data.alignment.observation import BaseState
from evla_ros.embodiment.streams import Kind, streams_of
from evla_ros.ros.base_input import AxisState, OdometryTopic

if TYPE_CHECKING:
    from rclpy.node import Node

    from evla_ros.embodiment import Embodiment
    from evla_ros.ros.teleop.core import TeleopCore


class MovingInputs:
    """Odometry and positions, handed to the core under the node's lock."""

    def __init__(
        self,
        node: Node,
        embodiment: Embodiment,
        core: TeleopCore,
        lock: threading.Lock,
        complain: Callable[[str], None],
    ) -> None:
        """Subscribe to what the robot has of these."""
        self._node, self._core, self._lock, self._complain = node, core, lock, complain
        streams = streams_of(embodiment)
        if embodiment.base is not None:
            odometry, base = streams.get(Kind.ODOMETRY), embodiment.base
            OdometryTopic(node, odometry, base, self._on_odometry, self._on_bad_odometry)
        for index, axis in enumerate(embodiment.axes):
            taker, bad = partial(self._on_axis, index), partial(self._on_bad_axis, index)
            AxisState(node, streams.get(Kind.AXIS, axis.name), axis, taker, bad)

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)

    def _on_odometry(self, _stamp_ns: int, base: BaseState) -> None:
        with self._lock:
            problem = self._core.on_odometry(self._now_ns(), base)
        if problem:
            self._complain(f"odometry of the base: {problem}")

    def _on_bad_odometry(self, problem: str, reason: Reason = Reason.INPUT_INVALID) -> None:
        with self._lock:
            self._core.on_bad_odometry(self._now_ns(), problem)
        self._complain(f"{reason.sentence} (odometry of the base: {problem})")

    def _on_axis(self, axis: int, _stamp_ns: int, position: float) -> None:
        with self._lock:
            self._core.on_axis(axis, self._now_ns(), position)

    def _on_bad_axis(self, axis: int, problem: str, reason: Reason = Reason.INPUT_INVALID) -> None:
        with self._lock:
            self._core.on_bad_axis(axis, self._now_ns(), problem)
        self._complain(f"{reason.sentence} (position of axis {axis}: {problem})")
