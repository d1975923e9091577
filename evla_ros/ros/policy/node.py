# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node `policy`: camera and instruction in, pose goals out, and always a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import State
from std_srvs.srv import Trigger

from evla_ros.control.reasons import Finding, Reason
from evla_ros.embodiment import action_layout, load_embodiment
from evla_ros.errors import EvlaError
from evla_ros.msg import ActionChunk, PolicyStatus, RecorderStatus
from evla_ros.ros import parameters
from evla_ros.ros.graph import LOOK_S
from evla_ros.ros.lifecycle import ManagedNode
from evla_ros.ros.policy.diagnostics import diagnostics
from evla_ros.ros.policy.inference_loop import InferenceReport
from evla_ros.ros.policy.limit_parameters import limit_table, tightened_limits
from evla_ros.ros.policy.parameters import TABLE
from evla_ros.ros.policy.run_action import RunAction
from evla_ros.ros.policy.run_episode import RunRecorder
from evla_ros.ros.policy.session import PolicySession
from evla_ros.ros.policy.status import StatusWriter
from evla_ros.ros.qos import latched, reliable
from evla_ros.srv import SetInstruction


class PolicyNode(ManagedNode):
    """Serves the operator, and takes a PolicySession through the lifecycle."""

    def __init__(self, **arguments: Any) -> None:
        """Declare parameters; everything else waits for configure."""
        super().__init__("policy", TABLE, **arguments)
        self._session: PolicySession | None = None
        self._runs: RunAction | None = None
        self._limits: tuple[parameters.Parameter, ...] = ()

    # -- lifecycle --

    def _configure(self, values: dict[str, Any]) -> None:
        """Load the embodiment and the policy, warm it up, and offer the services."""
        embodiment = load_embodiment(values["embodiment"])
        self._limits = limit_table(embodiment)
        limits = tightened_limits(embodiment, self.declare(self._limits))
        self._layout = action_layout(embodiment)
        self._writer = StatusWriter(
            embodiment, f"{values['policy']} {values['checkpoint'] or values['server']}".strip()
        )
        self._status = self.publish_on("~/status", PolicyStatus, latched())
        self._chunks = self.publish_on("~/action_chunk", ActionChunk, reliable())
        self._diagnostics = self.publish_on("/diagnostics", DiagnosticArray, reliable())
        self._session = PolicySession(self, embodiment, values, limits, self._publish_chunk)
        took_ms = self._session.load()
        self.get_logger().info(
            f"{values['policy']} is loaded for {embodiment.name}; first answer {took_ms:.0f} ms"
        )
        self.serve("~/start", Trigger, self._start)
        self.serve("~/stop", Trigger, self._stop)
        self.serve("~/reset_estop", Trigger, self._reset_estop)
        self.serve("~/set_instruction", SetInstruction, self._set_instruction)
        self._offer_runs(values["recorder"])
        self.repeat(1.0 / values["status_rate_hz"], self._publish_status)
        self.repeat(1.0, self._publish_diagnostics)
        self.repeat(LOOK_S, self._look_around)

    def _offer_runs(self, recorder: str) -> None:
        """Offer the action ~/run; recorder: the node that records its runs, empty for none."""
        runs = None
        if recorder:
            runs = RunRecorder(self, recorder)
            self.listen(f"{recorder}/status", RecorderStatus, runs.hear, latched())
        self._runs = RunAction(self, self._of_life(), runs)

    def _activate(self) -> None:
        """Start the goal loop; the robot waits for ~/start."""
        self._of_life().activate()

    def _deactivate(self, *, shutting_down: bool) -> None:
        """Hold the measured pose and end."""
        reason = Reason.SHUTDOWN if shutting_down else Reason.INACTIVE
        session = self._of_life()
        session.deactivate(reason)
        if self._runs is not None:
            self._runs.abort(Finding(reason))
        status = session.core.status()._replace(finding=Finding(reason), moving=False)
        self._status.publish(self._writer.status(status, State.PRIMARY_STATE_INACTIVE))

    def hold(self) -> None:
        """Hold at once, before the threads are waited for."""
        if self.active and self._session is not None:
            self._session.hold(Reason.SHUTDOWN)

    def _clean_up(self) -> None:
        """Let the policy, its action and its topics go."""
        runs, self._runs = self._runs, None
        if runs is not None:
            runs.destroy()
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _on_failure(self, sentence: str) -> None:
        """Hold: something of this node does not work."""
        if self._session is not None:
            self._session.core.stop(Finding(Reason.POLICY_FAILED, sentence))

    def _of_life(self) -> PolicySession:
        """Return the session; it lives from configure to cleanup, as the services do."""
        if self._session is None:
            raise EvlaError("the policy node is not configured; configure it first")
        return self._session

    def _apply(self, changes: Mapping[str, Any]) -> None:
        """Tighten limits while the robot moves."""
        live = {name: value for name, value in changes.items() if name.startswith("limits.")}
        if live:
            core = self._of_life().core
            values = parameters.read(self, self._limits) | live
            core.set_limits(tightened_limits(core.embodiment, values))

    # -- the operator --

    def _start(self, _: Trigger.Request) -> str:
        if not self.active:
            raise EvlaError(Finding(Reason.INACTIVE).text)
        refusal = self._of_life().start_motion()
        if refusal is not None:
            raise EvlaError(refusal.text)
        return "started"

    def _stop(self, _: Trigger.Request) -> str:
        if self.active:
            self._of_life().core.stop()
        return "stopped"

    def _reset_estop(self, _: Trigger.Request) -> str:
        if not self._of_life().core.reset_estop():
            raise EvlaError("the stop button is still pressed")
        return "released"

    def _set_instruction(self, request: SetInstruction.Request) -> str:
        self._of_life().core.set_instruction(request.instruction)
        return "taken; counts from the next inference on"

    def _look_around(self) -> None:
        if self.active and self._session is not None:
            self._session.look_around()

    # -- what goes out besides goals --

    def _publish_chunk(self, report: InferenceReport) -> None:
        if self.active and report.late_rows is not None:
            message = self._writer.chunk(report, self._layout.names, self._layout.units)
            message.published = self.get_clock().now().to_msg()
            self._chunks.publish(message)

    def _publish_status(self) -> None:
        if self.active and self._session is not None:
            status = self._session.core.status()
            self._status.publish(self._writer.status(status, State.PRIMARY_STATE_ACTIVE))

    def _publish_diagnostics(self) -> None:
        if self.active and self._session is not None:
            session, status = self._session, self._session.core.status()
            array = diagnostics(
                self.get_fully_qualified_name(),
                self._writer.status(status, State.PRIMARY_STATE_ACTIVE),
                session.loop,
                session.subscriptions.camera_topics(),
                status.lost,
                list(session.network_ms),
            )
            self._diagnostics.publish(array)
