# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot without physics, for benchmarks and tests: cameras, trailing poses, a log of goals.

Every part can be switched off and on while it runs, and made to lie.
"""

from __future__ import annotations

import array
import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Bool, Float64, String

from evla_ros.embodiment import Arm, Embodiment
from evla_ros.geometry import Pose, interpolate
from evla_ros.ros.pose_conversion import nanoseconds, pose_stamped, time_message
from evla_ros.ros.qos import command, latched, newest_only, reliable

STATE_HZ = 100.0


@dataclass
class GoalRecord:
    """One goal as it arrived: monotonic arrival, its stamp, its position."""

    arrived_ns: int
    stamp_ns: int
    position: tuple[float, float, float]
    measured: tuple[float, float, float]


@dataclass
class Switches:
    """What works; follow is the part of the way to its goal that an arm goes per state tick."""

    cameras: dict[str, bool] = field(default_factory=dict)
    poses: bool = True
    grippers: bool = True
    follow: float = 0.2


class FakeRobot:
    """Publishes from its own thread; `goals[arm]` grows as goals arrive (spin elsewhere)."""

    def __init__(
        self,
        node: Node,
        embodiment: Embodiment,
        *,
        image_size: tuple[int, int] = (480, 640),
        camera_hz: float = 30.0,
        state_hz: float = STATE_HZ,
        home: Pose | None = None,
    ) -> None:
        """Create publishers and subscriptions; `start` begins to publish."""
        self._node, self._embodiment = node, embodiment
        self._camera_hz, self._state_hz = camera_hz, state_hz
        self.switches = Switches(dict.fromkeys(embodiment.cameras, True))
        self._home = home or Pose.from_xyz_rpy([0.45, 0.0, 0.3], [3.1, 0.0, 0.0])
        self.measured = [self._home for _ in embodiment.arms]
        self.wanted: list[Pose | None] = [None for _ in embodiment.arms]
        self.goals: list[list[GoalRecord]] = [[] for _ in embodiment.arms]
        self.commands: list[list[float]] = [[] for _ in embodiment.arms]
        self.image_times: dict[int, int] = {}
        self._images = {
            name: node.create_publisher(Image, camera.topic, newest_only())
            for name, camera in embodiment.cameras.items()
        }
        self.image_message = _test_image(*image_size)
        self._poses = [
            node.create_publisher(PoseStamped, arm.pose.topic or "unused", reliable(5))
            for arm in embodiment.arms
        ]
        self._grippers = [
            node.create_publisher(Float64, arm.gripper.state, reliable(5)) if arm.gripper else None
            for arm in embodiment.arms
        ]
        self._instruction = node.create_publisher(String, embodiment.instruction.topic, latched())
        self._estop = node.create_publisher(Bool, embodiment.estop.topic, reliable())
        for index, arm in enumerate(embodiment.arms):
            self._subscribe(index, arm)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _subscribe(self, index: int, arm: Arm) -> None:
        def take(message: PoseStamped) -> None:
            p, q = message.pose.position, message.pose.orientation
            pose = Pose(np.array([p.x, p.y, p.z]), np.array([q.x, q.y, q.z, q.w]))
            self.wanted[index] = pose
            self.goals[index].append(
                GoalRecord(
                    time.monotonic_ns(),
                    nanoseconds(message.header.stamp),
                    (p.x, p.y, p.z),
                    tuple(self.measured[index].position_m.tolist()),
                )
            )

        self._node.create_subscription(PoseStamped, arm.goal.topic, take, command())
        if arm.gripper is not None:
            commands = self.commands[index]
            self._node.create_subscription(
                Float64, arm.gripper.command, lambda m: commands.append(m.data), command()
            )

    def start(self) -> None:
        """Begin to publish."""
        self._thread.start()

    def stop(self) -> None:
        """End publishing."""
        self._ended.set()
        self._thread.join()

    def say(self, instruction: str) -> None:
        """Publish the instruction."""
        self._instruction.publish(String(data=instruction))

    def press_estop(self, pressed: bool) -> None:
        """Publish the state of the stop button."""
        self._estop.publish(Bool(data=pressed))

    def _now_ns(self) -> int:
        return int(self._node.get_clock().now().nanoseconds)

    def _run(self) -> None:
        period_ns = round(1e9 / self._state_hz)
        every = max(1, round(self._state_hz / self._camera_hz))
        deadline_ns = time.monotonic_ns()
        for count in itertools.count():
            deadline_ns += period_ns
            if self._ended.wait(max(0.0, (deadline_ns - time.monotonic_ns()) / 1e9)):
                return
            self._publish_state(with_grippers=count % 5 == 0)
            if count % every == 0:
                self.publish_images()

    def _publish_state(self, *, with_grippers: bool) -> None:
        now_ns = self._now_ns()
        for index, (pose, gripper) in enumerate(zip(self._poses, self._grippers, strict=True)):
            wanted = self.wanted[index]
            if wanted is not None:
                self.measured[index] = interpolate(
                    self.measured[index], wanted, self.switches.follow
                )
            if self.switches.poses:
                frame = self._embodiment.base_frame
                pose.publish(pose_stamped(self.measured[index], frame, now_ns))
            if with_grippers and self.switches.grippers and gripper is not None:
                gripper.publish(Float64(data=0.04))

    def publish_images(self) -> None:
        """Publish one image per camera that is switched on, all with the stamp of now."""
        stamp_ns = self._now_ns()
        self.image_message.header.stamp = time_message(stamp_ns)
        self.image_times[stamp_ns] = time.monotonic_ns()
        for name, publisher in self._images.items():
            if self.switches.cameras[name]:
                publisher.publish(self.image_message)


def _test_image(height: int, width: int) -> Any:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    data = array.array("B")
    data.frombytes(pixels.tobytes())
    message = Image(height=height, width=width, encoding="rgb8", step=3 * width)
    message.data = data
    message.header.frame_id = "camera"
    return message
