# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot without physics, for benchmarks and tests: cameras, trailing poses, a log of goals.

Every part can be switched off and on while it runs, and made to lie.
"""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_msgs.msg import Bool, String

from evla_ros.data.codecs.goal import way_from_cdr
from evla_ros.data.codecs.gripper import gripper_fields, gripper_from_cdr
from evla_ros.embodiment import Arm, Embodiment
from evla_ros.embodiment.streams import POSE_STAMPED, POSE_TRAJECTORY, Kind, Stream, streams_of
from evla_ros.geometry import Pose, Way, interpolate, pose_on_way
from evla_ros.ros.message_types import message_class, new_message
from evla_ros.ros.pose_conversion import nanoseconds, pose_stamped, time_message
from evla_ros.ros.qos import latched, newest_only, reliable, stream_profile
from evla_ros.ros.simulator.messages import camera_message

STATE_HZ = 100.0
GRIPPER_VALUE = 0.04
JPEG_QUALITY = 90


@dataclass
class GoalRecord:
    """One goal as it arrived.

    Attributes:
        arrived_ns: monotonic time of its arrival.
        stamp_ns: stamp in its header.
        position: x y z of the goal in metres.
        measured: x y z of the arm at that time in metres.
    """

    arrived_ns: int
    stamp_ns: int
    position: tuple[float, float, float]
    measured: tuple[float, float, float]


@dataclass
class Switches:
    """What of the robot works; may be changed while it runs.

    Attributes:
        cameras: whether each camera publishes.
        poses: whether the arms publish their poses.
        grippers: whether the grippers publish their state.
        follow: share of the way to its goal that an arm goes in each tick of its state.
    """

    cameras: dict[str, bool] = field(default_factory=dict)
    poses: bool = True
    grippers: bool = True
    follow: float = 0.2


class TakenWay(NamedTuple):
    """A way of an arm: when it came on the monotonic clock [ns], and where the arm was then."""

    begun_ns: int
    start: Pose
    way: Way


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
        """Create publishers and subscriptions; `start` begins to publish.

        Args:
            node: the node whose they are; spun by the caller.
            embodiment: the robot.
            image_size: height and width of the images in pixels.
            camera_hz: images of each camera per second.
            state_hz: poses of each arm per second.
            home: where the arms begin; None: a pose in front of the base.
        """
        self._node, self._embodiment = node, embodiment
        self._camera_hz, self._state_hz = camera_hz, state_hz
        self.switches = Switches(dict.fromkeys(embodiment.cameras, True))
        self._home = home or Pose.from_xyz_rpy([0.45, 0.0, 0.3], [3.1, 0.0, 0.0])
        self.measured = [self._home for _ in embodiment.arms]
        self.targets: list[Pose | None] = [None for _ in embodiment.arms]
        self.goals: list[list[GoalRecord]] = [[] for _ in embodiment.arms]
        self.ways: list[list[TakenWay]] = [[] for _ in embodiment.arms]
        self.commands: list[list[float]] = [[] for _ in embodiment.arms]
        self.image_times: dict[int, int] = {}
        self._streams = streams = streams_of(embodiment)
        cameras = streams.of_kind(Kind.CAMERA)
        self._cameras = [(stream, self._publisher(stream, newest_only())) for stream in cameras]
        self._pictures = {stream.type: _test_image(stream.type, *image_size) for stream in cameras}
        self.image_message = self._pictures[streams.get(Kind.CAMERA, "primary").type]
        poses = [streams.get(Kind.POSE, arm.name) for arm in embodiment.arms]
        self._poses = [
            self._publisher(pose, reliable(5)) if pose.type == POSE_STAMPED else None
            for pose in poses
        ]
        grippers = streams.of_kind(Kind.GRIPPER)
        self._grippers = [(state, self._publisher(state, reliable(5))) for state in grippers]
        self._instruction = self._publisher(streams.get(Kind.INSTRUCTION), latched())
        self._estop = self._publisher(streams.get(Kind.ESTOP), reliable())
        for index, arm in enumerate(embodiment.arms):
            self._subscribe(index, arm)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _publisher(self, stream: Stream, profile: QoSProfile) -> Any:
        return self._node.create_publisher(message_class(stream.type), stream.topic, profile)

    def _subscribe(self, index: int, arm: Arm) -> None:
        def take(message: PoseStamped) -> None:
            p, q = message.pose.position, message.pose.orientation
            pose = Pose(np.array([p.x, p.y, p.z]), np.array([q.x, q.y, q.z, q.w]))
            self.targets[index] = pose
            self.goals[index].append(
                GoalRecord(
                    time.monotonic_ns(),
                    nanoseconds(message.header.stamp),
                    (p.x, p.y, p.z),
                    tuple(self.measured[index].position_m.tolist()),
                )
            )

        def take_way(data: bytes) -> None:
            way = way_from_cdr(data, self._embodiment.base_frame).way
            self.ways[index].append(TakenWay(time.monotonic_ns(), self.measured[index], way))

        goal = self._streams.get(Kind.GOAL, arm.name)
        ways, profile = goal.type == POSE_TRAJECTORY, stream_profile(goal)
        kind, taker = message_class(goal.type), take_way if ways else take
        self._node.create_subscription(kind, goal.topic, taker, profile, raw=ways)
        command = self._streams.find(Kind.GRIPPER_COMMAND, arm.name)
        if command is not None:
            self._node.create_subscription(
                message_class(command.type),
                command.topic,
                lambda data: self.commands[index].extend(gripper_from_cdr(command, data).values),
                stream_profile(command),
                raw=True,
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
        for index, pose in enumerate(self._poses):
            if self.ways[index]:
                begun_ns, start, way = self.ways[index][-1]
                self.measured[index] = pose_on_way(start, way, time.monotonic_ns() - begun_ns)
            target = self.targets[index]
            if target is not None:
                self.measured[index] = interpolate(
                    self.measured[index], target, self.switches.follow
                )
            if self.switches.poses and pose is not None:
                frame = self._embodiment.base_frame
                pose.publish(pose_stamped(self.measured[index], frame, now_ns))
        if with_grippers and self.switches.grippers:
            for state, gripper in self._grippers:
                fields = gripper_fields(state, GRIPPER_VALUE)
                gripper.publish(new_message(state.type, fields, now_ns))

    def publish_images(self) -> None:
        """Publish one image per camera that is switched on, all with the stamp of now."""
        stamp_ns = self._now_ns()
        for message in self._pictures.values():
            message.header.stamp = time_message(stamp_ns)
        self.image_times[stamp_ns] = time.monotonic_ns()
        for stream, publisher in self._cameras:
            if self.switches.cameras[stream.key.name]:
                publisher.publish(self._pictures[stream.type])


def _test_image(message_type: str, height: int, width: int) -> Any:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return camera_message(message_type, pixels, "camera", time_message(0), JPEG_QUALITY)
