# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A policy node in its own process, its operator's calls, and a fake robot in this one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rclpy.executors import ExternalShutdownException
from std_srvs.srv import Trigger

from evla_ros.bench.fake_robot import FakeRobot
from evla_ros.embodiment import load_embodiment
from evla_ros.msg import ActionChunk, PolicyStatus
from evla_ros.ros.lean_executor import LeanExecutor
from evla_ros.ros.node_arguments import parameter_arguments
from evla_ros.ros.qos import latched, reliable

if TYPE_CHECKING:
    from typing_extensions import Self

VGA: dict[str, Any] = {"image_size": (480, 640), "camera_hz": 30.0}  # of the fake robot
CONFIGURE = Transition.TRANSITION_CONFIGURE
ACTIVATE = Transition.TRANSITION_ACTIVATE


class Rig:
    """A policy node and the robot that it moves; use as a context manager.

    Attributes:
        statuses: statuses of the node as they came.
        chunks: chunks as they came.
        diagnostics: diagnostics as they came.
        log: lines that the node wrote.
    """

    def __init__(
        self,
        embodiment: str = "tabletop_arm",
        robot: dict[str, Any] | None = None,
        namespace: str = "",
        overrides: dict[str, Any] | None = None,
        program: Sequence[str] = ("-m", "evla_ros.ros.policy.main"),
        **parameters: object,
    ) -> None:
        """Take what the node and the robot get.

        Args:
            embodiment: name or file of the robot.
            robot: options of `FakeRobot`.
            namespace: namespace of both.
            overrides: parameters of the node alone, such as another embodiment file.
            program: what Python runs as the node.
            parameters: parameters of the node; `faults` may be a dict.
        """
        self.embodiment = load_embodiment(embodiment)
        self.namespace = namespace
        self._robot_options = {"image_size": (48, 64), **(robot or {})}
        if isinstance(parameters.get("faults"), dict):
            parameters["faults"] = json.dumps(parameters["faults"])
        defaults = {
            "policy": "circle",
            "worker": "thread",
            "embodiment": embodiment,
            "listen_first_s": 0.0,
        }
        self._parameters = {**defaults, **parameters, **(overrides or {})}
        self._program = list(program)
        self.statuses: list[PolicyStatus] = []
        self.chunks: list[ActionChunk] = []
        self.diagnostics: list[DiagnosticArray] = []

    def __enter__(self) -> Self:
        self.context = rclpy.Context()
        rclpy.init(context=self.context)
        self.node = rclpy.create_node("rig", namespace=self.namespace, context=self.context)
        self.robot = FakeRobot(self.node, self.embodiment, **self._robot_options)
        for kind, topic, profile, found in (
            (PolicyStatus, "policy/status", latched(), self.statuses),
            (ActionChunk, "policy/action_chunk", reliable(), self.chunks),
            (DiagnosticArray, "/diagnostics", reliable(), self.diagnostics),
        ):
            self.node.create_subscription(kind, topic, found.append, profile)
        self._clients: dict[str, Any] = {}
        self._executor = LeanExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._spinning = threading.Thread(target=self._spin, daemon=True)
        self._spinning.start()
        self.process = self.start_process()
        self.robot.start()
        return self

    def start_process(self) -> subprocess.Popen[str]:
        """Start the policy node."""
        arguments = [sys.executable, *self._program]
        arguments += ["--ros-args", "-r", f"__ns:=/{self.namespace}"]
        arguments += parameter_arguments(self._parameters)
        self.log: list[str] = []
        process = subprocess.Popen(
            arguments,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        )

        def read() -> None:
            for line in process.stdout or ():
                self.log.append(line.rstrip())

        threading.Thread(target=read, daemon=True).start()
        return process

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.robot.stop()
        self._executor.shutdown()
        self._spinning.join(2)
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)

    def _spin(self) -> None:
        try:
            self._executor.spin()
        except ExternalShutdownException:
            return

    # -- the operator --

    def call(self, kind: Any, name: str, request: Any, timeout_s: float = 15.0) -> Any:
        """Call a service of the policy node and return the answer."""
        client = self._clients.get(name)
        if client is None:
            client = self._clients[name] = self.node.create_client(kind, f"policy/{name}")
        if not client.wait_for_service(timeout_s):
            raise TimeoutError(f"no service policy/{name}:\n" + "\n".join(self.log[-30:]))
        done = threading.Event()
        future = client.call_async(request)
        future.add_done_callback(lambda _: done.set())
        if not done.wait(timeout_s):
            raise TimeoutError(f"no answer from policy/{name}:\n" + "\n".join(self.log[-30:]))
        return future.result()

    def transition(self, transition: int) -> bool:
        """Ask for a lifecycle transition."""
        request = ChangeState.Request(transition=Transition(id=transition))
        return bool(self.call(ChangeState, "change_state", request, 60.0).success)

    def state(self) -> str:
        """Return the lifecycle state."""
        return str(self.call(GetState, "get_state", GetState.Request()).current_state.label)

    def trigger(self, name: str) -> Trigger.Response:
        """Call ~/start, ~/stop or ~/reset_estop."""
        return self.call(Trigger, name, Trigger.Request())

    def bring_up(self, instruction: str = "draw a circle") -> None:
        """Configure, activate, instruct and start; returns once the robot moves."""
        for transition in (CONFIGURE, ACTIVATE):
            if not self.transition(transition):
                raise RuntimeError("\n".join(self.log))
        self.robot.say(instruction)
        self.start_moving()

    def start_moving(self, timeout_s: float = 10.0) -> None:
        """Call ~/start until it is granted, then wait for motion."""
        end = time.monotonic() + timeout_s
        while not (answer := self.trigger("start")).success:
            if time.monotonic() > end:
                raise TimeoutError(answer.message)
            time.sleep(0.05)
        self.wait_for(lambda: self.statuses and self.statuses[-1].moving, "motion")

    def wait_for(
        self, condition: Callable[[], object], what: str = "", timeout_s: float = 10.0
    ) -> None:
        """Wait until a condition holds; AssertionError with log and reason when it does not."""
        end = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > end:
                reason = self.statuses[-1].reason_text if self.statuses else "no status"
                raise AssertionError(f"no {what}: {reason}\n" + "\n".join(self.log[-30:]))
            time.sleep(0.005)

    def workers(self) -> list[int]:
        """Return the process ids of the node's children."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]

    def goals_after(self, seconds: float, arm: int = 0) -> list[Any]:
        """Return the goals that arrive within the next seconds."""
        count = len(self.robot.goals[arm])
        time.sleep(seconds)
        return self.robot.goals[arm][count:]
