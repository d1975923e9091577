# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node `policy`: camera and instruction in, pose goals out, and always a reason."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import State
from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from std_srvs.srv import Trigger

from evla_ros.control.reasons import Finding, Reason
from evla_ros.embodiment import action_layout, load_embodiment
from evla_ros.errors import EvlaError
from evla_ros.msg import ActionChunk, PolicyStatus
from evla_ros.ros import parameters
from evla_ros.ros.inference_loop import InferenceReport
from evla_ros.ros.lifecycle import refuse_impossible_transitions
from evla_ros.ros.policy_diagnostics import diagnostics
from evla_ros.ros.policy_parameters import TABLE, limit_table, tightened_limits
from evla_ros.ros.policy_session import PolicySession
from evla_ros.ros.qos import latched, reliable
from evla_ros.srv import SetInstruction

_DONE = TransitionCallbackReturn.SUCCESS


class PolicyNode(LifecycleNode):
    """Declares parameters, serves the operator, takes a PolicySession through the lifecycle."""

    def __init__(self, **arguments: Any) -> None:
        """Declare parameters; everything else waits for configure."""
        super().__init__("policy", **arguments)
        parameters.declare(self, TABLE)
        self._session: PolicySession | None = None
        self._active = False
        self._limits: tuple[parameters.Parameter, ...] = ()
        self._operator_services: list[Any] = []
        self._own_timers: list[Any] = []
        self._own_publishers: list[Any] = []
        self.add_on_set_parameters_callback(self._check_parameters)
        refuse_impossible_transitions(self)

    # -- lifecycle --

    def on_configure(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Load the embodiment and the policy, and warm it up."""
        return self._guarded("configure", self._configure)

    def on_activate(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Start the goal loop; the robot waits for ~/start."""
        return self._guarded("activate", self._activate)

    def on_deactivate(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Hold the measured pose and end."""
        return self._guarded("deactivate", lambda: self._deactivate(Reason.INACTIVE))

    def on_cleanup(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Let the policy and every topic go."""
        return self._guarded("cleanup", self._clean_up)

    def on_shutdown(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Hold, and let everything go."""
        return self._guarded("shutdown", self.finish)

    def on_error(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Let everything go, so that the node can be configured again."""
        return self._guarded("clean up after the error", self.finish)

    def finish(self) -> None:
        """End from whatever state, the hold last."""
        self._deactivate(Reason.SHUTDOWN)
        self._clean_up()

    def _guarded(self, what: str, action: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            action()
        except EvlaError as error:
            self.get_logger().error(f"cannot {what}: {error}")
            self._clean_up()
            return TransitionCallbackReturn.FAILURE
        except Exception:  # noqa: BLE001 - rclpy would turn it into a silent ERROR
            self.get_logger().error(f"cannot {what}:\n{traceback.format_exc()}")
            return TransitionCallbackReturn.ERROR
        return _DONE

    def _configure(self) -> None:
        values = parameters.read(self, TABLE)
        embodiment = load_embodiment(values["embodiment"])
        self._limits = limit_table(embodiment)
        parameters.declare(self, self._limits)
        limits = tightened_limits(embodiment, parameters.read(self, self._limits))
        layout = action_layout(embodiment)
        self._layout = (layout.names, layout.units)
        self._status_publisher = self.create_publisher(PolicyStatus, "~/status", latched())
        self._chunk_publisher = self.create_publisher(ActionChunk, "~/action_chunk", reliable())
        self._diagnostics_publisher = self.create_publisher(
            DiagnosticArray, "/diagnostics", reliable()
        )
        self._own_publishers = [
            self._status_publisher,
            self._chunk_publisher,
            self._diagnostics_publisher,
        ]
        self._session = PolicySession(self, embodiment, values, limits, self._publish_chunk)
        took_ms = self._session.load()
        self.get_logger().info(
            f"{values['policy']} is loaded for {embodiment.name}; first answer {took_ms:.0f} ms"
        )
        self._operator_services = [
            self.create_service(Trigger, "~/start", self._on_start),
            self.create_service(Trigger, "~/stop", self._on_stop),
            self.create_service(Trigger, "~/reset_estop", self._on_reset_estop),
            self.create_service(SetInstruction, "~/set_instruction", self._on_set_instruction),
        ]
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        period_s = 1.0 / values["status_rate_hz"]
        self._own_timers = [
            self.create_timer(period_s, self._publish_status, clock=steady),
            self.create_timer(1.0, self._publish_diagnostics, clock=steady),
        ]

    def _activate(self) -> None:
        assert self._session is not None  # noqa: S101 - the lifecycle configures first
        self._session.activate()
        self._active = True

    def _deactivate(self, reason: Reason) -> None:
        if not self._active or self._session is None:
            return
        self._active = False
        self._session.deactivate(reason)
        status = self._status(Finding(reason), State.PRIMARY_STATE_INACTIVE)
        self._status_publisher.publish(status)

    def _clean_up(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            session.close()
        for service in self._operator_services:
            self.destroy_service(service)
        for timer in self._own_timers:
            self.destroy_timer(timer)
        for publisher in self._own_publishers:
            self.destroy_publisher(publisher)
        for row in self._limits:
            self.undeclare_parameter(row.name)
        self._operator_services, self._own_timers, self._own_publishers = [], [], []
        self._limits = ()

    # -- the operator --

    def _on_start(self, _: Trigger.Request, answer: Trigger.Response) -> Trigger.Response:
        refusal: Finding | None = Finding(Reason.INACTIVE)
        if self._active and self._session is not None:
            refusal = self._session.start_motion()
        answer.success = refusal is None
        answer.message = "started" if refusal is None else refusal.text
        return answer

    def _on_stop(self, _: Trigger.Request, answer: Trigger.Response) -> Trigger.Response:
        if self._active and self._session is not None:
            self._session.stop_motion()
        answer.success, answer.message = True, "stopped"
        return answer

    def _on_reset_estop(self, _: Trigger.Request, answer: Trigger.Response) -> Trigger.Response:
        assert self._session is not None  # noqa: S101 - the service lives as long as the session
        with self._session.core.lock:
            answer.success = self._session.core.controller.inputs.reset_estop()
        answer.message = "released" if answer.success else "the stop button is still pressed"
        return answer

    def _on_set_instruction(
        self, request: SetInstruction.Request, answer: SetInstruction.Response
    ) -> SetInstruction.Response:
        assert self._session is not None  # noqa: S101
        with self._session.core.lock:
            self._session.core.controller.set_instruction(request.instruction.strip())
        self._session.loop.nudge()
        answer.success, answer.message = True, "taken; counts from the next inference on"
        return answer

    # -- what goes out besides goals --

    def _publish_chunk(self, report: InferenceReport) -> None:
        if self._active and self._session is not None and report.late_rows is not None:
            message = self._session.writer.chunk(report, *self._layout)
            message.published = self.get_clock().now().to_msg()
            self._chunk_publisher.publish(message)

    def _publish_status(self) -> None:
        if self._active and self._session is not None:
            status = self._status(self._session.tick.finding, State.PRIMARY_STATE_ACTIVE)
            self._status_publisher.publish(status)

    def _status(self, finding: Finding, lifecycle: int) -> PolicyStatus:
        session = self._session
        assert session is not None  # noqa: S101
        moving = lifecycle == State.PRIMARY_STATE_ACTIVE and session.tick.moving
        with session.core.lock:
            return session.writer.status(
                session.core.controller,
                finding,
                session.core.now_ns(),
                lifecycle=lifecycle,
                moving=moving,
            )

    def _publish_diagnostics(self) -> None:
        session = self._session
        if self._active and session is not None:
            status = self._status(session.tick.finding, State.PRIMARY_STATE_ACTIVE)
            name = self.get_fully_qualified_name()
            lost = session.inputs.lost()
            array = diagnostics(name, status, session.loop, session.inputs, lost)
            self._diagnostics_publisher.publish(array)

    def _check_parameters(self, changes: list[Parameter]) -> SetParametersResult:
        try:
            self._apply({change.name: change.value for change in changes})
        except EvlaError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _apply(self, changes: dict[str, Any]) -> None:
        rows = {row.name: row for row in (*TABLE, *self._limits)}
        for name, value in changes.items():
            problem = rows[name].problem(value) if name in rows else ""
            if problem:
                raise EvlaError(problem)
            if self._session is not None and name in rows and not rows[name].dynamic:
                raise EvlaError(f"{name} is read on configure; clean up the node to change it")
        live = {name: value for name, value in changes.items() if name.startswith("limits.")}
        if live and self._session is not None:
            values = parameters.read(self, self._limits) | live
            core = self._session.core
            limits = tightened_limits(core.embodiment, values)
            with core.lock:
                for arm, limit in zip(core.controller.arms, limits, strict=True):
                    arm.set_limits(limit)
