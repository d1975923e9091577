# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The node `teleop`: devices in, pose goals out while a dead-man is held, and who has authority."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from geometry_msgs.msg import PoseStamped, TwistStamped
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from sensor_msgs.msg import Joy
from std_msgs.msg import Bool, Float64, String
from std_srvs.srv import Trigger

from evla_ros.embodiment import load_embodiment
from evla_ros.errors import EvlaError
from evla_ros.geometry import Pose
from evla_ros.msg import PolicyStatus
from evla_ros.ros import parameters
from evla_ros.ros.arm_input import pose_input
from evla_ros.ros.command_output import CommandOutput
from evla_ros.ros.qos import latched, newest_only
from evla_ros.ros.teleop_command import TeleopCommand
from evla_ros.ros.teleop_core import TeleopCore, TeleopSettings, TeleopTick
from evla_ros.ros.teleop_devices import Clutched, JoyMap, Joystick
from evla_ros.ros.teleop_keyboard import HELP, Keyboard, has_terminal, raw_terminal, read_keys
from evla_ros.ros.teleop_parameters import TABLE

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
            ),
        )
        self._output = CommandOutput(self, embodiment, shadow=False)
        self._active = self.create_publisher(Bool, values["active_topic"], latched())
        self._holder = self.create_publisher(String, "~/authority", latched())
        self._told: tuple[bool, str] | None = None
        self._told_ns = 0
        self._opening: float | None = None
        for index, arm in enumerate(embodiment.arms):
            taker = partial(self._on_pose, index)
            pose_input(self, arm, embodiment.base_frame, taker, self._complain)
        self._listen(values)
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0 / embodiment.goal_rate_hz, self._tick, clock=steady)
        self._ended = threading.Event()
        if values["keyboard"] and has_terminal():
            threading.Thread(target=self._read_keyboard, name="keyboard", daemon=True).start()

    def finish(self) -> None:
        """Let go: the measured pose is the last thing that is sent."""
        self._ended.set()
        deadline = time.monotonic() + self._p["hold_s"] + self._p["dead_man_s"] + 0.1
        with self._lock:
            for source in ("keyboard", "joy", "twist", "pose"):
                self._core.on_command(source, TeleopCommand(dead_man=False), self._now_ns())
        while time.monotonic() < deadline and self._tick():
            time.sleep(0.02)
        self._output.flush()

    # -- devices --

    def _listen(self, values: dict[str, Any]) -> None:
        arms = len(self._embodiment.arms)
        axes = tuple(int(number) for number in values["joy_axes"].split(","))
        if len(axes) != 6:
            raise EvlaError(f"joy_axes {values['joy_axes']!r} takes six numbers")
        buttons = (values["joy_dead_man"], values["joy_gripper"], values["joy_next_arm"])
        self._joystick = Joystick(arms, JoyMap(*buttons, axes))
        clutch = values["clutch_topic"]
        base = self._embodiment.base_frame
        arm = min(values["arm"], arms - 1)
        self._hand = Clutched(arm, base, has_clutch=bool(clutch))
        topics: list[tuple[str, Any, Callable[[Any], None]]] = [
            (values["joy_topic"], Joy, self._on_joy),
            (values["twist_topic"], TwistStamped, self._on_twist),
            (values["pose_topic"], PoseStamped, self._on_hand),
            (clutch, Bool, self._on_clutch),
            (values["gripper_topic"], Float64, self._on_gripper),
            (values["policy_status_topic"], PolicyStatus, self._on_policy),
        ]
        for topic, kind, callback in topics:
            if topic:
                self.create_subscription(kind, topic, callback, newest_only())

    def _on_pose(self, arm: int, _stamp_ns: int, pose: Pose) -> None:
        with self._lock:
            self._core.on_pose(arm, self._now_ns(), pose)

    def _on_joy(self, message: Joy) -> None:
        self._command("joy", self._joystick.command(message.axes, message.buttons))

    def _on_twist(self, message: TwistStamped) -> None:
        try:
            command = self._hand.twist(message, self._p["speed_m_s"], self._p["speed_rad_s"])
        except EvlaError as error:
            self._complain(str(error))
            return
        self._command("twist", self._with_opening(command))

    def _on_hand(self, message: PoseStamped) -> None:
        try:
            self._command("pose", self._with_opening(self._hand.pose(message)))
        except EvlaError as error:
            self._complain(str(error))

    def _on_clutch(self, message: Bool) -> None:
        self._hand.held = message.data
        if not message.data:
            for source in ("twist", "pose"):
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
            self._output.publish(tick.arms, now_ns)
        else:
            self._output.publish(tick.arms, now_ns)
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

    # -- keyboard --

    def _read_keyboard(self) -> None:
        keyboard = Keyboard(len(self._embodiment.arms))
        prefix = self._p["recorder"]
        print(HELP, flush=True)
        with raw_terminal(0):
            while not self._ended.is_set():
                keys = read_keys(0, 0.02)
                now_s = time.monotonic()
                for service in keyboard.press(keys, now_s):
                    self._call(f"{prefix}/{service}")
                self._command("keyboard", keyboard.command(now_s))

    def _call(self, service: str) -> None:
        client = self.create_client(Trigger, service)
        if not client.service_is_ready() and not client.wait_for_service(1.0):
            print(f"\r\nno service {service}: is the recorder running?\r")
            return
        future = client.call_async(Trigger.Request())
        future.add_done_callback(lambda done: print(f"\r\n{done.result().message}\r"))
