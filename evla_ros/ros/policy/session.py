# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the policy node has from configure to cleanup, and runs from activate to deactivate.

An image goes from its subscription to the core, wakes the inference thread, comes back as a chunk,
and leaves as a goal in the next tick of the goal loop.
"""

from __future__ import annotations

import time
import traceback
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from rclpy.node import Node

from evla_ros.control.controller import Controller
from evla_ros.control.limits.moving_parts import RobotLimits
from evla_ros.control.reasons import Finding, Reason
from evla_ros.embodiment import Embodiment, proprio_layout
from evla_ros.embodiment.streams import streams_of
from evla_ros.errors import EvlaError
from evla_ros.policy.process_runner import ProcessRunner
from evla_ros.policy.runner import Runner, ThreadRunner
from evla_ros.policy.scheduling import as_usual, first_in_line, keep_to_itself
from evla_ros.policy.spec import PolicySpec
from evla_ros.policy.types import Observation
from evla_ros.ros.command_output import CommandOutput
from evla_ros.ros.limited_log import LimitedLog
from evla_ros.ros.policy.executor_profiles import profile_of
from evla_ros.ros.policy.goal_loop import GoalLoop
from evla_ros.ros.policy.graph_look import GraphLook
from evla_ros.ros.policy.inference_loop import InferenceLoop, InferenceReport
from evla_ros.ros.policy.parameters import control_settings, policy_spec
from evla_ros.ros.policy.shared_core import SharedCore
from evla_ros.ros.policy.subscriptions import PolicySubscriptions

_TICK_S = 0.01
_HOLD_LIMIT_S = 2.0


class PolicySession:
    """Joins subscriptions, core, policy and outputs; the operator's topics are the node's."""

    def __init__(
        self,
        node: Node,
        embodiment: Embodiment,
        values: Mapping[str, Any],
        limits: RobotLimits,
        on_chunk: Callable[[InferenceReport], None],
    ) -> None:
        """Create everything but the policy, which `load` loads.

        Args:
            node: The policy node.
            embodiment: The robot.
            values: The parameters of the node.
            limits: The limits of each arm.
            on_chunk: Told of every chunk.
        """
        self._values, self._on_chunk, self._log = values, on_chunk, node.get_logger()
        clock, simulated = node.get_clock(), bool(node.get_parameter("use_sim_time").value)
        settings = control_settings(values)
        self.runner = _runner_of(policy_spec(values, embodiment), values)
        self.loop = GoalLoop(
            embodiment.goal_rate_hz,
            self._tick,
            self._on_tick_error,
            (lambda: int(clock.now().nanoseconds)) if simulated else None,
        )
        self.core = SharedCore(
            embodiment,
            Controller(embodiment, settings, limits, simulated_clock=simulated),
            lambda: int(clock.now().nanoseconds),
            self.loop.nudge,
            lambda: self.runner.alive,
            fresh_wait_s=values["fresh_wait_s"],
            instant_wait_s=values["instant_wait_s"],
        )
        self._inference: InferenceLoop | None = None
        self.network_ms: deque[float] = deque(maxlen=100)
        self._held = False
        self._said = Finding(Reason.INACTIVE)
        self._reasons = LimitedLog(lambda line: self._log.info(line))  # noqa: PLW0108 - see LimitedLog
        self._profiles = [
            profile_of(node, arm.goal.executor, values["servo_node"]) for arm in embodiment.arms
        ]
        self.subscriptions = PolicySubscriptions(
            node,
            self.core,
            use_header=values["stamp_source"] == "header",
            teleop_topic=values["teleop_topic"],
        )
        self._output = CommandOutput(
            node,
            embodiment,
            shadow=values["shadow"],
            on_opening=lambda arm, opening: self.core.observe_opening(arm, 0, opening),
        )
        self._graph = GraphLook(
            node,
            streams_of(embodiment),
            self.subscriptions.controls,
            self._output,
            values["teleop_topic"],
            0.0 if values["shadow"] else values["listen_first_s"],
        )

    def load(self) -> float:
        """Load the policy and ask it once; returns the milliseconds of that first answer."""
        self.runner.start()
        if self.runner.about:
            self._log.info(self.runner.about)
        embodiment = self.core.embodiment
        layout = proprio_layout(embodiment)
        proprio = np.zeros(layout.size, dtype=np.float32)
        for feature in layout.features:
            if feature.kind == "quaternion":
                proprio[feature.stop - 1] = 1.0  # no rotation: w = 1
        images = {name: np.zeros((480, 640, 3), np.uint8) for name in embodiment.cameras}
        start = time.perf_counter()
        answer = self.runner.infer(Observation(0, images, proprio, "warm up"))
        if not np.isfinite(answer.actions).all():
            raise EvlaError("the policy's first answer holds numbers that are not finite")
        self.runner.reset()
        return (time.perf_counter() - start) * 1e3

    def activate(self) -> None:
        """Start the threads; nothing moves before `start`."""
        self._held = False
        self.core.reset()
        for arm in self.core.unreported_grippers():
            self._log.warning(
                f"gripper of {arm}: counts as open until its action first reports; if it is not, "
                "let it take one goal before the start, or give the gripper a 'state' topic"
            )
        # Beside a policy in another process this thread does little, and holds what all wait for.
        scheduling = as_usual if _in_this_process(self._values) else keep_to_itself
        self._inference = InferenceLoop(
            self.core,
            self.runner,
            partial(self.loop.nudge_and_wait, _TICK_S),
            self._note_chunk,
            self._log,
            scheduling,
        )
        for profile in self._profiles:
            profile.engage()
        problem = first_in_line(self._values["realtime_priority"])
        if problem:
            self._log.warning(problem)
        self._inference.start()
        self.loop.start()

    def hold(self, reason: Reason) -> None:
        """End motion; the goal loop sends the hold while everything else ends."""
        self._held = self.core.stop(Finding(reason)) or self._held

    def deactivate(self, reason: Reason) -> None:
        """Stop the threads; the last thing that the robot gets is the hold."""
        self.hold(reason)
        self._stop_threads()
        if self._held:
            self._hold_until_at_rest()
        self._output.flush()
        for profile in self._profiles:
            profile.release()

    def close(self) -> None:
        """Let everything go; the policy's process ends."""
        self._stop_threads()
        self.subscriptions.destroy()
        self._output.destroy()
        for profile in self._profiles:
            profile.destroy()
        self.runner.close()

    def start_motion(self) -> Finding | None:
        """Let the robot move; returns why not, None when it is started."""
        for profile in self._profiles:
            problem = profile.problem()
            if problem:
                return Finding(Reason.INPUT_INVALID, problem)
        self.look_around(at_once=True)
        return self.core.start()

    def look_around(self, *, at_once: bool = False) -> None:
        """Tell the core who else is in the graph; see `GraphLook.look`."""
        self.core.see_graph(self._graph.look(at_once=at_once))

    def _note_chunk(self, report: InferenceReport) -> None:
        if report.chunk.network_ns:
            self.network_ms.append(report.chunk.network_ns / 1e6)
        self._on_chunk(report)

    def _stop_threads(self) -> None:
        """Stop the inference, which may take a while, and then what holds the robot meanwhile."""
        if self._inference is not None:
            self._inference.stop()
            self._inference = None
        self.loop.stop()

    def _hold_until_at_rest(self) -> None:
        """Send the hold until it is the measured pose: the limits let it get there step by step."""
        end = time.monotonic() + _HOLD_LIMIT_S
        self._tick()
        while not self.core.at_rest and time.monotonic() < end:
            time.sleep(1.0 / self.core.embodiment.goal_rate_hz)
            self._tick()

    def _tick(self) -> None:
        tick = self.core.tick()
        self._output.publish(tick.told, tick.now_ns)
        if tick.finding.reason is not self._said.reason:
            self._say(tick.finding)

    def _say(self, finding: Finding) -> None:
        """Say why it moves or not, when that changes; where it flaps, once a second."""
        limits = {Reason.MOVING, Reason.MOVING_LIMITED}
        quiet = {finding.reason, self._said.reason} == limits
        if quiet or self._reasons.say(f"{finding.reason.name}: {finding.text}"):
            self._said = finding

    def _on_tick_error(self, error: Exception) -> None:
        """Say it and stop; the next tick sends the hold."""
        lines = "".join(traceback.format_exception(error))
        self._log.error(f"the goal loop failed and stops the robot: {lines}")
        self.core.stop(Finding(Reason.POLICY_FAILED, f"goal loop: {error}"))


def _runner_of(spec: PolicySpec, values: Mapping[str, Any]) -> Runner:
    if _in_this_process(values):
        return ThreadRunner(spec)
    return ProcessRunner(
        spec,
        timeout_s=values["inference_timeout_s"],
        load_timeout_s=values["load_timeout_s"],
        niceness=values["worker_niceness"],
    )


def _in_this_process(values: Mapping[str, Any]) -> bool:
    """Return whether the node asks by itself: a server computes elsewhere anyway."""
    return values["worker"] == "thread" or values["policy"] == "remote"
