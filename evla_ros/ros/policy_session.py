# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the policy node has from configure to cleanup, and runs from activate to deactivate."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from rclpy.node import Node

from evla_ros.control.controller import Controller, Tick
from evla_ros.control.limits import LimitValues
from evla_ros.control.reasons import Finding, Reason
from evla_ros.embodiment import Embodiment, proprio_layout
from evla_ros.policy.process_runner import ProcessRunner
from evla_ros.policy.runner import Runner, ThreadRunner
from evla_ros.policy.scheduling import as_usual, first_in_line, keep_to_itself
from evla_ros.policy.spec import PolicySpec
from evla_ros.policy.types import Observation
from evla_ros.ros.command_output import CommandOutput
from evla_ros.ros.executor_profiles import profile_of
from evla_ros.ros.goal_loop import GoalLoop
from evla_ros.ros.inference_loop import InferenceLoop, InferenceReport
from evla_ros.ros.observation_gate import ObservationGate
from evla_ros.ros.policy_parameters import control_settings, policy_spec
from evla_ros.ros.policy_status import StatusWriter
from evla_ros.ros.robot_inputs import RobotInputs
from evla_ros.ros.shared_core import SharedCore

_TICK_S = 0.01


class PolicySession:
    """Wires core, inputs, policy and outputs together; owns no topic of the operator's."""

    def __init__(
        self,
        node: Node,
        embodiment: Embodiment,
        values: Mapping[str, Any],
        limits: Sequence[LimitValues],
        on_chunk: Callable[[InferenceReport], None],
    ) -> None:
        """Create everything; `load` may take long and comes after it."""
        self._node, self._values, self._on_chunk = node, values, on_chunk
        self._log = node.get_logger()
        self._simulated = bool(node.get_parameter("use_sim_time").value)
        settings = control_settings(values)
        controller = Controller(embodiment, settings, limits, simulated_clock=self._simulated)
        clock = node.get_clock()
        self.core = SharedCore(embodiment, controller, lambda: int(clock.now().nanoseconds))
        self.runner = _runner_of(policy_spec(values, embodiment), values)
        self.writer = StatusWriter(embodiment, f"{values['policy']} {values['checkpoint']}".strip())
        self.tick = Tick(0, Finding(Reason.INACTIVE), ())
        self.loop = GoalLoop(embodiment.goal_rate_hz, self._on_tick, self._on_tick_error)
        self._inference: InferenceLoop | None = None
        self._gate: ObservationGate | None = None
        self._jumps = 0
        self.profiles = [
            profile_of(node, arm.goal.executor, values["servo_node"]) for arm in embodiment.arms
        ]
        self._output = CommandOutput(node, embodiment, shadow=values["shadow"])
        self.inputs = RobotInputs(
            node,
            self.core,
            self._on_image,
            self._on_state,
            self.loop.nudge,
            use_header=values["stamp_source"] == "header",
            teleop_topic=values["teleop_topic"],
        )

    def load(self) -> float:
        """Load the policy and ask it once; returns the milliseconds of that first answer."""
        self.runner.start()
        embodiment = self.core.embodiment
        layout = proprio_layout(embodiment)
        proprio = np.zeros(layout.size, dtype=np.float32)
        for feature in layout.features:
            if feature.kind == "quaternion":
                proprio[feature.stop - 1] = 1.0  # no rotation: w = 1
        images = {name: np.zeros((480, 640, 3), np.uint8) for name in embodiment.cameras}
        start = time.perf_counter()
        self.runner.infer(Observation(0, images, proprio, "warm up"))
        self.runner.reset()
        return (time.perf_counter() - start) * 1e3

    def activate(self) -> None:
        """Start the threads; nothing moves before `start`."""
        with self.core.lock:
            self.core.controller.reset()
            self.inputs.clear()
        rate_hz = self.core.embodiment.goal_rate_hz
        simulated_now = self.core.now_ns if self._simulated else None
        self.loop = GoalLoop(rate_hz, self._on_tick, self._on_tick_error, simulated_now)
        self.inputs.set_urgent(self.loop.nudge)
        waits = (self._values["fresh_wait_s"], self._values["instant_wait_s"])
        self._gate = ObservationGate(self.core, self.inputs, *waits)
        # Beside a policy in another process this thread does little, and holds what all wait for.
        scheduling = as_usual if self._values["worker"] == "thread" else keep_to_itself
        self._inference = InferenceLoop(
            self.core, self._gate, self.runner, self._on_inferred, self._log, scheduling
        )
        for profile in self.profiles:
            profile.engage()
        problem = first_in_line(self._values["realtime_priority"])
        if problem:
            self._log.warning(problem)
        self._inference.start()
        self.loop.start()

    def deactivate(self, reason: Reason) -> None:
        """Stop the threads; the last thing that the robot gets is the hold."""
        self.loop.stop()
        if self._inference is not None:
            self._inference.stop()
            self._inference = None
        moved = self.core.controller.started
        if moved:
            with self.core.lock:
                self.core.controller.stop(self.core.now_ns(), Finding(reason))
            self._on_tick()
        self._output.flush()
        for profile in self.profiles:
            profile.release()

    def close(self) -> None:
        """Let everything go; the policy's process ends."""
        self.loop.stop()
        if self._inference is not None:
            self._inference.stop()
        self.inputs.destroy()
        self._output.destroy()
        for profile in self.profiles:
            profile.destroy()
        self.runner.close()

    def start_motion(self) -> Finding | None:
        """Let the robot move; returns why not, None when it is started."""
        for profile in self.profiles:
            problem = profile.problem()
            if problem:
                return Finding(Reason.INPUT_INVALID, problem)
        with self.core.lock:
            refusal = self.core.controller.start(self.core.now_ns())
        self.loop.nudge()
        return refusal

    def stop_motion(self) -> None:
        """Stop now."""
        with self.core.lock:
            self.core.controller.stop(self.core.now_ns())
        self.loop.nudge()

    def _on_tick(self) -> None:
        core = self.core
        controller = core.controller
        alive = self.runner.alive
        with core.lock:
            controller.policy.restarting = controller.policy.restarting or not alive
            self.inputs.watch_conflicts()
            now_ns = core.now_ns()
            tick = controller.tick(now_ns, time.monotonic_ns())
            if controller.clock_jumps != self._jumps:
                self._jumps = controller.clock_jumps
                self.inputs.clear()
            self.writer.note_tick(tick, controller)
            wanted = controller.wants_inference(now_ns)
        self._output.publish(tick.arms, now_ns)
        if wanted and self._inference is not None:
            self._inference.wake()
        if tick.finding.reason is not self.tick.finding.reason:
            self._say(tick)
        self.tick = tick

    def _say(self, tick: Tick) -> None:
        limits = {Reason.MOVING, Reason.MOVING_LIMITED}
        if {tick.finding.reason, self.tick.finding.reason} != limits:
            self._log.info(f"{tick.finding.reason.name}: {tick.finding.text}")

    def _on_tick_error(self, error: Exception) -> None:
        """Say it and stop; the next tick sends the hold."""
        lines = "".join(traceback.format_exception(error))
        self._log.error(f"the goal loop failed and stops the robot: {lines}")
        with self.core.lock:
            finding = Finding(Reason.POLICY_FAILED, f"goal loop: {error}")
            self.core.controller.stop(self.core.now_ns(), finding)

    def _on_image(self, name: str) -> None:
        if self._gate is not None:
            self._gate.note_image(name)

    def _on_state(self) -> None:
        if self._gate is not None:
            self._gate.note_sample()

    def _on_inferred(self, report: InferenceReport) -> None:
        """Send the first goal of a chunk at once, before its message is made."""
        self.loop.nudge_and_wait(_TICK_S)
        self._on_chunk(report)


def _runner_of(spec: PolicySpec, values: Mapping[str, Any]) -> Runner:
    if values["worker"] == "thread":
        return ThreadRunner(spec)
    return ProcessRunner(
        spec,
        timeout_s=values["inference_timeout_s"],
        load_timeout_s=values["load_timeout_s"],
        niceness=values["worker_niceness"],
    )
