# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is measured of a mobile base and of single joints: odometry and positions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from rclpy.node import Node

from evla_ros.control.reasons import Reason
from evla_ros.control.watchdog import frame_problem, joint_problem
from evla_ros.data.alignment.observation import BaseState
from evla_ros.data.codecs.axis import axis_from_cdr
from evla_ros.data.codecs.base import odometry_from_cdr
from evla_ros.data.messages import decode_joint_state
from evla_ros.embodiment import Axis, Base
from evla_ros.embodiment.streams import Stream
from evla_ros.errors import EvlaError
from evla_ros.ros.arm_input import OnProblem
from evla_ros.ros.callbacks import subscribe_stream

OnOdometry = Callable[[int, BaseState], None]
OnPosition = Callable[[int, float], None]


class OdometryTopic:
    """Odometry of the base, its velocity in the base's own frame."""

    def __init__(
        self,
        node: Node,
        stream: Stream,
        base: Base,
        on_odometry: OnOdometry,
        on_problem: OnProblem,
    ) -> None:
        """Subscribe; `on_odometry(stamp_ns, state)` is called from the executor."""
        self._node, self._base = node, base
        self._on_odometry, self._on_problem = on_odometry, on_problem
        self._subscription = subscribe_stream(node, stream, self._receive, on_problem, raw=True)

    def _receive(self, data: bytes) -> None:
        try:
            sample = odometry_from_cdr(data)
        except EvlaError as error:
            self._on_problem(str(error))
            return
        if sample.frame not in ("", self._base.frame):
            self._on_problem(frame_problem(sample.frame, self._base.frame), Reason.WRONG_FRAME)
            return
        self._on_odometry(sample.stamp_ns, BaseState(sample.pose, sample.velocity))

    def destroy(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)


class AxisState:
    """The measured position of one axis [m or rad]."""

    def __init__(
        self,
        node: Node,
        stream: Stream,
        axis: Axis,
        on_position: OnPosition,
        on_problem: OnProblem,
    ) -> None:
        """Subscribe; `on_position(stamp_ns, position)`, stamp 0 where the message has none."""
        self._node, self._stream, self._axis = node, stream, axis
        self._on_position, self._on_problem = on_position, on_problem
        self._found_s, self._joints = -math.inf, set[str]()
        self._subscription = subscribe_stream(node, stream, self._receive, on_problem, raw=True)

    def _receive(self, data: bytes) -> None:
        try:
            stamp_ns, position = axis_from_cdr(self._stream, data)
        except EvlaError as error:
            self._on_problem(str(error))
            return
        if position is None:
            self._complain_of_joints(data)
        elif not math.isfinite(position):
            self._on_problem(f"position {position} is not finite")
        else:
            self._found_s = time.monotonic()
            self._on_position(stamp_ns, position)

    def _complain_of_joints(self, data: bytes) -> None:
        """Name the joints that are there, unless other messages of the topic have ours."""
        if time.monotonic() - self._found_s <= self._axis.max_age_s:
            return
        self._joints.update(decode_joint_state(data).names)
        joint = self._stream.selector[0]
        if joint in self._joints:
            self._on_problem(f"joint {joint!r} has no position")
        else:
            self._on_problem(joint_problem(joint, sorted(self._joints)), Reason.WRONG_JOINT)

    def destroy(self) -> None:
        """Unsubscribe."""
        self._node.destroy_subscription(self._subscription)
