# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node `teleop`: devices in, pose goals out while a dead-man is held, and who has authority."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from geometry_msgs.msg import PoseStamped, Twist, TwistStamped
from rclpy.node import Node
from sensor_msgs.msg import Joy
from std_msgs.msg import Bool, Float64, String
from std_srvs.srv import Trigger

from evla_ros.control.reasons import Reason
from evla_ros.embodiment import load_embodiment
from evla_ros.embodiment.streams import Kind, streams_of
from evla_ros.errors import EvlaError
from evla_ros.geometry import Pose
from evla_ros.msg import PolicyStatus
from evla_ros.msg import TeleopCommand as ConsoleCommand
from evla_ros.ros import callbacks, parameters
from evla_ros.ros.arm_input import pose_input
from evla_ros.ros.command_output import CommandOutput
from evla_ros.ros.control_topics import ControlTopic
from evla_ros.ros.graph import LOOK_S, GraphView, pose_publishers
from evla_ros.ros.qos import latched, newest_only
from evla_ros.ros.teleop.command import TeleopCommand
from evla_ros.ros.teleop.core import TeleopCore, TeleopSettings, TeleopTick
from evla_ros.ros.teleop.devices import Clutched, Joystick, console_command
from evla_ros.ros.teleop.keyboard import Keyboard, has_terminal
from evla_ros.ros.teleop.moving_inputs import MovingInputs
from evla_ros.ros.teleop.parameters import TABLE, joy_map
from evla_ros.ros.teleop.terminal_keys import read_terminal

_MOVING = (PolicyStatus.REASON_MOVING, PolicyStatus.REASON_MOVING_LIMITED)
_REPEAT_NS = 200_000_000


class TeleopNode(Node):
    """Converts messages and calls TeleopCore."""

    def __init__(self, **arguments: Any) -> None:
        """Subscribe to the devices; raises EvlaError for a wrong parameter."""
        super().__init__("teleop", **arguments)
        parameters.declare(self, TABLE)
        self._p = values = parameters.read(self, TABLE)
        self._embodiment = embodiment = load_embodiment(values["embodiment"])
        self._lock = threading.Lock()
        self._core = TeleopCore(
            embodiment,
            TeleopSettings(
                values["speed_m_s"],
                values["speed_rad_s"],
                values["scale"],
                values["dead_man_s"],
                values["hold_s"],
                values["base_speed_m_s"],
                values["base_speed_rad_s"],
                values["axis_speed"],
            ),
        )
        self._output = CommandOutput(self, embodiment, shadow=False)
        self._active = self.create_publisher(Bool, values["active_topic"], latched())
        self._holder = self.create_publisher(String, "~/authority", latched())
        self._told: tuple[bool, str] | None = None
        self._told_ns = 0
        self._opening: float | None = None
        self._streams = streams = streams_of(embodiment)
        for index, arm in enumerate(embodiment.arms):
            taker, bad = partial(self._on_pose, index), partial(self._on_bad_pose, index)
            pose_input(self, streams, arm.name, embodiment.base_frame, taker, bad)
        self._moving = MovingInputs(self, embodiment, self._core, self._lock, self._complain)
        estop = streams.get(Kind.ESTOP)
        self._estop = ControlTopic(self, estop.type, estop.topic, self._on_estop, self._let_go)
        callbacks.serve(self, Trigger, "~/reset_estop", self._reset_estop)
        callbacks.serve(self, Trigger, "~/stop", self._stop)
        self._listen_until_s = time.monotonic() + values["listen_first_s"]
        callbacks.repeat(self, LOOK_S, self._look_around)
        self._look_around()
        self._listen(values)
        callbacks.repeat(self, 1.0 / embodiment.goal_rate_hz, self._tick, self._let_go)
        self._ended = threading.Event()
        if values["keyboard"] and has_terminal():
            keyboard = Keyboard(len(embodiment.arms), len(embodiment.axes))
            take = partial(self._command, "keyboard")
            read_terminal(self, keyboard, values["recorder"], take, self._ended)

    def finish(self) -> None:
        """Let go: the measured pose is the last thing that is sent."""
        self._ended.set()
        deadline = time.monotonic() + self._p["hold_s"] + self._p["dead_man_s"] + 0.1
        self._let_go()
        while time.monotonic() < deadline and self._tick():
            time.sleep(0.02)
        self._output.flush()

    def _let_go(self, _why: str = "") -> None:
        """Release every dead-man: the arm holds where it is."""
        for source in ("keyboard", "joy", "twist", "pose", "base_twist", "console"):
            self._command(source, TeleopCommand(dead_man=False))

    # -- devices --

    def _listen(self, values: dict[str, Any]) -> None:
        arms = len(self._embodiment.arms)
        self._joystick = Joystick(arms, joy_map(values), len(self._embodiment.axes))
        clutch = values["clutch_topic"]
        base = self._embodiment.base_frame
        arm = min(values["arm"], arms - 1)
        self._hand = Clutched(arm, base, has_clutch=bool(clutch))
        topics: list[tuple[str, Any, Callable[[Any], None]]] = [
            (values["joy_topic"], Joy, self._on_joy),
            (values["console_topic"], ConsoleCommand, self._on_console),
            (values["twist_topic"], TwistStamped, self._on_twist),
            (values["pose_topic"], PoseStamped, self._on_hand),
            (values["base_twist_topic"], Twist, self._on_base_twist),
            (clutch, Bool, self._on_clutch),
            (values["gripper_topic"], Float64, self._on_gripper),
            (values["policy_status_topic"], PolicyStatus, self._on_policy),
        ]
        for topic, kind, callback in topics:
            if topic:
                callbacks.subscribe(self, kind, topic, callback, newest_only(), self._let_go)

    def _on_pose(self, arm: int, _stamp_ns: int, pose: Pose) -> None:
        with self._lock:
            self._core.on_pose(arm, self._now_ns(), pose)

    def _on_bad_pose(self, arm: int, problem: str, reason: Reason = Reason.INPUT_INVALID) -> None:
        with self._lock:
            self._core.on_bad_pose(arm, self._now_ns(), problem)
        self._complain(f"{reason.sentence} (pose of arm {arm}: {problem})")

    def _on_estop(self, message: Bool) -> None:
        now_ns = self._now_ns()
        with self._lock:
            changed = self._core.button.set(bool(message.data), now_ns)
            stop = self._core.stopped(now_ns)
        if changed:
            self.get_logger().info("released" if stop is None else stop.text)

    def _reset_estop(self, _: Trigger.Request) -> str:
        with self._lock:
            released = self._core.button.reset()
        if not released:
            raise EvlaError("the stop button is still pressed")
        return "released; let go of the dead-man before you move on"

    def _stop(self, _: Trigger.Request) -> str:
        with self._lock:
            self._core.stop()
        return "stopped; let go of the dead-man before you move on"

    def _look_around(self) -> None:
        """Take who else is in the graph."""
        poses = pose_publishers(self, self._streams)
        listening = time.monotonic() < self._listen_until_s
        view = GraphView(self._estop.unheard(), poses, listening=listening)
        with self._lock:
            changed, stop = view.tell(self._core.graph), self._core.stopped(self._now_ns())
        if changed and stop is not None:
            self.get_logger().info(stop.text)

    def _on_joy(self, message: Joy) -> None:
        self._command("joy", self._joystick.command(message.axes, message.buttons))

    def _on_twist(self, message: TwistStamped) -> None:
        try:
            command = self._hand.twist(message, self._p["speed_m_s"], self._p["speed_rad_s"])
        except EvlaError as error:
            self._complain(str(error))
            return
        self._command("twist", self._with_opening(command))

    def _on_console(self, message: ConsoleCommand) -> None:
        arms, joints = len(self._embodiment.arms), len(self._embodiment.axes)
        try:
            self._command("console", console_command(message, arms, joints))
        except EvlaError as error:
            self._command("console", TeleopCommand(dead_man=False))
            self._complain(f"console: {error}")

    def _on_base_twist(self, message: Twist) -> None:
        full = self._p["base_speed_m_s"], self._p["base_speed_rad_s"]
        self._command("base_twist", self._hand.base(message, *full))

    def _on_hand(self, message: PoseStamped) -> None:
        try:
            self._command("pose", self._with_opening(self._hand.pose(message)))
        except EvlaError as error:
            self._complain(str(error))

    def _on_clutch(self, message: Bool) -> None:
        self._hand.held = message.data
        if not message.data:
            for source in ("twist", "pose", "base_twist"):
                self._command(source, TeleopCommand(dead_man=False))

    def _on_gripper(self, message: Float64) -> None:
        self._opening = 1.0 if message.data > 0.5 else 0.0

    def _on_policy(self, message: PolicyStatus) -> None:
        with self._lock:
            self._core.on_policy(self._now_ns(), moving=message.reason in _MOVING)

    def _with_opening(self, command: TeleopCommand) -> TeleopCommand:
        if self._opening is None:
            return command
        return TeleopCommand(**{**command.__dict__, "opening": self._opening})

    def _command(self, source: str, command: TeleopCommand) -> None:
        with self._lock:
            self._core.on_command(source, command, self._now_ns())

    # -- output --

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _tick(self) -> bool:
        now_ns = self._now_ns()
        with self._lock:
            tick = self._core.tick(now_ns)
        if tick.active:
            self._tell(tick, now_ns)  # the policy goes silent before our first goal
            self._output.publish(tick.told, now_ns)
        else:
            self._output.publish(tick.told, now_ns)
            self._tell(tick, now_ns)
        if tick.problem:
            self._complain(tick.problem)
        return tick.active

    def _tell(self, tick: TeleopTick, now_ns: int) -> None:
        told = (tick.active, tick.holder)
        if told == self._told and now_ns - self._told_ns < _REPEAT_NS:
            return
        if self._told is None or told[0] != self._told[0]:
            self.get_logger().info(f"authority: {tick.holder}")
        self._told, self._told_ns = told, now_ns
        self._active.publish(Bool(data=tick.active))
        self._holder.publish(String(data=tick.holder))

    def _complain(self, sentence: str) -> None:
        self.get_logger().warning(sentence, throttle_duration_sec=1.0)
