# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated gripper that takes action goals, as those that are sold do (control_msgs)."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from evla_ros.embodiment import Arm, Gripper
from evla_ros.embodiment.streams import GRIPPER_COMMAND_ACTION, gripper_action
from evla_ros.ros.deferred_action import DeferredActionServer, Outcome
from evla_ros.ros.gripper_action import action_class
from evla_ros.sim.world import World

_NEAR = 0.02  # of the way between closed and open: there
_STILL = 0.002  # moved less than this for a while: it holds something
_STILL_NS = 300_000_000
_REPORT_NS = 50_000_000


class GripperServer:
    """Works on the newest goal: reports, and ends it when the fingers are there or stand still."""

    def __init__(
        self, node: Node, world: World, arm: Arm, gripper: Gripper, refuse: Callable[[str], None]
    ) -> None:
        """Serve the action; refuse: says why a goal is aborted.

        Raises:
            EvlaError: control_msgs is not installed.
        """
        kind = gripper_action(gripper) or GRIPPER_COMMAND_ACTION
        self._world, self._name, self._gripper, self._refuse = world, arm.name, gripper, refuse
        names = [one.name for one in world.embodiment.arms]
        self._arm = world.arms[names.index(arm.name)]
        self._simple, self._kind = kind == GRIPPER_COMMAND_ACTION, action_class(kind)
        self._goal: Any = None
        self._wanted = self._seen = 0.0
        self._still_ns = self._report_ns = 0
        self._server = DeferredActionServer(node, self._kind, gripper.command, self._on_goal)

    def step(self, passed_ns: int) -> None:
        """Look after the goal; `passed_ns`: simulated time since the last step."""
        if self._goal is None:
            return
        opening = self._arm.opening(self._world.data)
        if self._goal.is_cancel_requested:
            self._world.command(self._name, None, opening)  # it stays where it is
            self._end("canceled")
            return
        moved = abs(opening - self._seen) > _STILL
        self._still_ns = 0 if moved else self._still_ns + passed_ns
        self._seen = opening if moved else self._seen
        self._report_ns += passed_ns
        if self._report_ns >= _REPORT_NS:
            self._report_ns = 0
            self._goal.publish_feedback(self._filled(self._kind.Feedback()))
        if abs(opening - self._wanted) <= _NEAR or self._still_ns >= _STILL_NS:
            self._end("succeed")

    def clear(self) -> None:
        """End the goal under way: an episode begins."""
        if self._goal is not None:
            self._end("abort")

    def _on_goal(self, goal: Any) -> None:
        if self._goal is not None:
            self._end("abort")
        value = self._asked(goal.request.command)
        self._goal = goal
        if value is None or not math.isfinite(value):
            self._refuse(f"goal of the gripper of {self._name}: no position of its joint")
            self._end("abort")
            return
        self._wanted, self._still_ns = self._gripper.opening(value), 0
        self._seen = self._arm.opening(self._world.data)
        self._world.command(self._name, None, self._wanted)

    def _asked(self, command: Any) -> float | None:
        if self._simple:
            return float(command.position)
        found = dict(zip(command.name, command.position, strict=False))
        return found.get(self._gripper.command_joint)

    def _end(self, outcome: Outcome) -> None:
        goal, self._goal = self._goal, None
        self._server.finish(goal, outcome, self._filled(self._kind.Result()))

    def _filled(self, report: Any) -> Any:
        """Write where the fingers are into a feedback or a result."""
        opening = self._arm.opening(self._world.data)
        value = self._gripper.state_value(opening)
        there = abs(opening - self._wanted) <= _NEAR
        if self._simple:
            report.position = value
        else:
            report.state.name, report.state.position = [self._gripper.command_joint], [value]
        if hasattr(report, "reached_goal"):
            report.reached_goal, report.stalled = there, self._still_ns >= _STILL_NS and not there
        return report
