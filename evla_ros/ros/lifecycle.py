# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What our lifecycle nodes share: transitions that never raise, parameters, a full clean-up."""

from __future__ import annotations

import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy import parameter
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile

from evla_ros.errors import EvlaError
from evla_ros.ros import callbacks, parameters
from evla_ros.ros.control_topics import ControlTopic

_DONE = TransitionCallbackReturn.SUCCESS


class ManagedNode(LifecycleNode):
    """A lifecycle node, whose subclass fills in `_configure`, `_activate`, and so on.

    What is made by `publish_on`, `listen`, `serve`, `repeat` and `declare` ends with clean-up.
    """

    def __init__(self, name: str, table: Sequence[parameters.Parameter], **arguments: Any) -> None:
        """Declare the parameters of the table; everything else waits for configure."""
        super().__init__(name, **arguments)
        self.active = self._configured = False
        self._made = ExitStack()
        self._table = table
        self._rows = {row.name: row for row in table}
        parameters.declare(self, table)
        self.add_on_set_parameters_callback(self._check_parameters)
        refuse_impossible_transitions(self)

    # -- for the node to fill in --

    def _configure(self, values: dict[str, Any]) -> None:
        """Get ready; `values` are the parameters of the table."""

    def _activate(self) -> None:
        """Begin."""

    def _deactivate(self, *, shutting_down: bool) -> None:
        """End what `_activate` began; called only after it."""

    def _clean_up(self) -> None:
        """Let go of what this class does not know of; called in whatever state."""

    def _apply(self, changes: Mapping[str, Any]) -> None:
        """Take new values of dynamic parameters while configured; EvlaError refuses them."""

    def _on_failure(self, sentence: str) -> None:
        """A callback raised; it is in the log already."""

    def hold(self) -> None:
        """Send the robot what it shall keep: the node is about to end, which may take a while."""

    # -- transitions --

    def on_configure(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Configure; a node that cannot says why and stays unconfigured."""
        return self._guarded("configure", self._begin_life)

    def on_activate(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Activate."""
        return self._guarded("activate", self._begin)

    def on_deactivate(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Deactivate."""
        return self._guarded("deactivate", lambda: self._end(shutting_down=False))

    def on_cleanup(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Let everything go."""
        return self._guarded("cleanup", self._let_go)

    def on_shutdown(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Deactivate, and let everything go."""
        return self._guarded("shutdown", self.finish)

    def on_error(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Let everything go, so that the node can be configured again."""
        return self._guarded("clean up after the error", self.finish)

    def finish(self) -> None:
        """End from whatever state."""
        try:
            self._end(shutting_down=True)
        finally:
            self._let_go()

    def _begin_life(self) -> None:
        try:
            self._configure(parameters.read(self, self._table, ("limits.",)))
        except EvlaError:
            self._let_go()
            raise
        self._configured = True

    def _begin(self) -> None:
        self._activate()
        self.active = True

    def _end(self, *, shutting_down: bool) -> None:
        active, self.active = self.active, False
        if active:
            self._deactivate(shutting_down=shutting_down)

    def _let_go(self) -> None:
        self._configured = False
        with self._made:
            self._clean_up()

    def _guarded(self, what: str, action: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            action()
        except EvlaError as error:
            self.get_logger().error(f"cannot {what}: {error}")
            # Only from configure is there a way back; after an error all is let go.
            failed = TransitionCallbackReturn.FAILURE
            return failed if what == "configure" else TransitionCallbackReturn.ERROR
        except Exception:  # noqa: BLE001 - rclpy would turn it into a silent ERROR
            self.get_logger().error(f"cannot {what}:\n{traceback.format_exc()}")
            return TransitionCallbackReturn.ERROR
        return _DONE

    # -- what lives until clean-up --

    def publish_on(self, topic: str, kind: Any, qos: QoSProfile) -> Publisher:
        """Create a publisher."""
        publisher = self.create_publisher(kind, topic, qos)
        self._made.callback(self.destroy_publisher, publisher)
        return publisher

    def listen(
        self, topic: str, kind: Any, callback: Callable[[Any], object], qos: QoSProfile
    ) -> None:
        """Subscribe."""
        made = callbacks.subscribe(self, kind, topic, callback, qos, self._on_failure)
        self._made.callback(self.destroy_subscription, made)

    def listen_to_all(
        self, topic: str, message_type: str, callback: Callable[[Any], object]
    ) -> None:
        """Subscribe to a control topic, whatever its publishers offer; see `ControlTopic`."""
        made = ControlTopic(self, message_type, topic, callback, self._on_failure)
        self._made.callback(made.destroy)

    def serve(self, name: str, kind: Any, action: Callable[[Any], str | Awaitable[str]]) -> None:
        """Offer a service; see `callbacks.serve`."""
        made = callbacks.serve(self, kind, name, action, self._on_failure)
        self._made.callback(self.destroy_service, made)

    def repeat(self, period_s: float, action: Callable[[], object]) -> None:
        """Call something again and again, in real time."""
        made = callbacks.repeat(self, period_s, action, self._on_failure)
        self._made.callback(self.destroy_timer, made)

    def declare(self, rows: Sequence[parameters.Parameter]) -> dict[str, Any]:
        """Declare further parameters and return their values."""
        for row in rows:
            self._rows[row.name] = row
            parameters.declare_more(self, [row])
            self._made.callback(self._rows.pop, row.name)
            self._made.callback(self.undeclare_parameter, row.name)
        return parameters.read(self, rows)

    # -- parameters --

    def _check_parameters(self, changes: list[parameter.Parameter]) -> SetParametersResult:
        known = {change.name: change.value for change in changes if change.name in self._rows}
        try:
            for name, value in known.items():
                row = self._rows[name]
                problem = row.problem(value)
                if problem:
                    raise EvlaError(problem)
                if self._configured and not row.dynamic:
                    raise EvlaError(f"{name} is read on configure; clean up the node to change it")
            if self._configured:
                self._apply(known)
        except EvlaError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)


def autostart(node: LifecycleNode) -> bool:
    """Configure and activate where the parameter `autostart` asks for it.

    Returns:
        False when it could not: the node has said why, and nobody is there to configure it again.
    """
    if not node.get_parameter("autostart").value:
        return True
    steps = (node.trigger_configure, node.trigger_activate)
    return all(step() is TransitionCallbackReturn.SUCCESS for step in steps)


def refuse_impossible_transitions(node: LifecycleNode) -> None:
    """Answer a transition that the state does not have with success = false.

    rclpy (Humble to Kilted) raises in the service callback instead: the caller waits for ever and
    the executor, with it the node, ends.
    """
    service = getattr(node, "_service_change_state", None)
    if service is None:
        return
    change_state = service.callback

    def guarded(request: Any, answer: Any) -> Any:
        requested = request.transition
        ids = {number for number, *_ in node._state_machine.available_transitions}  # noqa: SLF001
        if not requested.label and requested.id not in ids:
            state = node._state_machine.current_state[1]  # noqa: SLF001 - there is no public getter
            node.get_logger().warning(f"transition {requested.id} is not possible in state {state}")
            answer.success = False
            return answer
        return change_state(request, answer)

    service.callback = guarded
