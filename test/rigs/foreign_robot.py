# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot that knows nothing of us: a compressed camera, poses by TF, a gripper in joint_states.

Its messages are made once as raw bytes, and go into a bag or onto a live graph.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from evla_ros.data.bags import encode
from evla_ros.data.bags.definitions import typestore
from evla_ros.data.codecs.camera import picture_to_cdr
from evla_ros.data.codecs.goal import way_to_cdr
from evla_ros.embodiment.streams import (
    COMPRESSED_IMAGE,
    FLOAT64,
    IMAGE,
    JOINT_STATE,
    JOINT_TRAJECTORY,
    ODOMETRY,
    POSE_STAMPED,
    POSE_TRAJECTORY,
    TF_MESSAGE,
    TWIST,
)
from evla_ros.geometry import Pose, TimedPose

S = 1_000_000_000
TURN = 2 * np.pi / 200  # a tick's, of what moves to and fro in four seconds
JOINTS = ("shoulder_pan_joint", "elbow_joint", "wrist_3_joint")
LIFT_COMMAND = "/torso_controller/joint_trajectory"
LIFT = "torso_lift_joint"
FINGER = "robotiq_85_left_knuckle_joint"


class Event(NamedTuple):
    after_ns: int
    topic: str
    type: str
    data: bytes


@dataclass
class Foreign:
    """What the robot is like; faults are of its drivers.

    Attributes:
        goal: where it takes goals; its messages are in a bag when it is commanded.
        pose_topic: a PoseStamped besides TF, in `pose_frame`, of `pose_scale` metres.
        degrees: joint_states in degrees.
        stamp_offset_s: added to every stamp.
        camera_hz: of both cameras.
        beside: base and arm hang on `world`, side by side.
        held: where the flange stands [m], instead of moving to and fro.
        gripped: where the finger joint stands, instead of moving to and fro.
        lifted: where the lift stands [m], instead of moving up and down.
        ways: goals are whole ways (MultiDOFJointTrajectory), not poses.
        drives: it has a base and a lift; odometry in `odometry_frame`. A base stands while the arm
            is held.
    """

    camera: str = "/ext_cam/color/image_raw/compressed"
    wrist: str = "/wrist_cam/color/image_raw"
    goal: str = "/cartesian_motion_controller/target_frame"
    pose_topic: str = ""
    pose_frame: str = "base_link"
    pose_scale: float = 1.0
    finger: str = FINGER
    degrees: bool = False
    stamp_offset_s: float = 0.0
    camera_hz: float = 15.0
    tool: str = "tool0"
    seconds: float = 4.0
    ways: bool = False
    drives: bool = False
    odometry_frame: str = "base_link"
    beside: bool = False
    held: tuple[float, float, float] | None = None
    gripped: float | None = None
    lifted: float | None = None


def events(robot: Foreign, start_ns: int, *, commanded: bool) -> Iterator[Event]:
    """Yield what the robot publishes, in order; stamps count from start_ns."""
    pictures = [_picture(i) for i in range(8)]
    yield Event(0, "/tf_static", TF_MESSAGE, _tf(_fixed(robot)))
    for tick in range(int(robot.seconds * 50)):
        after = tick * S // 50
        stamp = start_ns + after + round(robot.stamp_offset_s * S)
        x = 0.4 + 0.1 * np.sin(tick / 40)
        moving = [("world" if robot.beside else "base_link", "flange", robot.held or (x, 0.0, 0.2))]
        moving += [("odom", "base_link", (_driven(robot, tick), 0.0, 0.0))] if robot.drives else []
        yield Event(after, "/tf", TF_MESSAGE, _tf(moving, stamp))
        scale = 180 / np.pi if robot.degrees else 1.0
        asked = 0.4 + 0.4 * np.sin(tick / 30)
        grip = asked if robot.gripped is None else robot.gripped
        positions = [scale * np.sin(tick / 50 + i) * 2 for i in range(3)]
        names, lift = (*JOINTS, robot.finger), 0.1 + 0.05 * np.sin(tick * TURN)
        if robot.drives:
            lift = lift if robot.lifted is None else robot.lifted
            names, positions = (LIFT, *names), [lift, *positions]
            yield from _driving(robot, after, stamp, tick, commanded=commanded)
        joints = encode.encode_joint_state(stamp, names, [*positions, scale * grip])
        yield Event(after, "/joint_states", JOINT_STATE, joints)
        pose = Pose.from_xyz_rpy([x, 0.0, 0.3], [3.1, 0.0, 0.0])
        if robot.pose_topic:
            scaled = Pose(pose.position_m * robot.pose_scale, pose.quaternion_xyzw)
            data = encode.encode_pose(stamp, robot.pose_frame, scaled)
            yield Event(after, robot.pose_topic, POSE_STAMPED, data)
        if commanded:
            yield _goal(robot, after, stamp, pose)
            yield Event(after, "/gripper/command", FLOAT64, encode.encode_float64(asked))
        if tick % max(1, round(50 / robot.camera_hz)) == 0:
            picture = pictures[tick % 8]
            for topic in (robot.camera, robot.wrist):
                kind = COMPRESSED_IMAGE if topic.endswith("compressed") else IMAGE
                yield Event(after, topic, kind, picture_to_cdr(kind, stamp, "optical", picture))


def _goal(robot: Foreign, after: int, stamp: int, pose: Pose) -> Event:
    if robot.ways:
        way = [TimedPose(step * S // 10, pose) for step in range(1, 9)]
        return Event(after, robot.goal, POSE_TRAJECTORY, way_to_cdr(stamp, "base_link", way))
    return Event(after, robot.goal, POSE_STAMPED, encode.encode_pose(stamp, "base_link", pose))


def _fixed(robot: Foreign) -> list[tuple[str, str, tuple[float, float, float]]]:
    here = (0.0, 0.0, 0.0)
    above = [] if robot.drives else [("world", "base_link", here)]
    return [*above, ("flange", robot.tool, here)]


def _driven(robot: Foreign, tick: int) -> float:
    """Return the way of the base [m]."""
    return 0.2 * (1 - np.cos(tick * TURN)) if robot.held is None else 0.0


def _driving(
    robot: Foreign, after: int, stamp: int, tick: int, *, commanded: bool
) -> Iterator[Event]:
    standing = robot.held is not None
    velocity = [0.0] * 3 if standing else [10.0 * TURN * np.sin(tick * TURN), 0.0, 0.3]
    where = Pose.from_xyz_rpy([_driven(robot, tick), 0.0, 0.0], [0.0, 0.0, 0.0])
    frames = ("odom", robot.odometry_frame)
    yield Event(after, "/odom", ODOMETRY, encode.encode_odometry(stamp, frames, where, velocity))
    if commanded:
        yield Event(after, "/cmd_vel", TWIST, encode.encode_twist(velocity))
        data = encode.encode_joint_trajectory([LIFT], [0.1], 0.1)
        yield Event(after, LIFT_COMMAND, JOINT_TRAJECTORY, data)


def write_bag(path: Path, robot: Foreign, start_ns: int = 1_750_000_000 * S) -> Path:
    """Write a bag as another program would, by the library rosbags."""
    from rosbags.rosbag2 import StoragePlugin, Writer

    shutil.rmtree(path, ignore_errors=True)
    writer = Writer(path, version=8, storage_plugin=StoragePlugin.MCAP)
    connections = {}
    with writer:
        for event in events(robot, start_ns, commanded=True):
            if event.topic not in connections:
                store = typestore()
                connections[event.topic] = writer.add_connection(
                    event.topic, event.type, typestore=store
                )
            writer.write(connections[event.topic], start_ns + event.after_ns, event.data)
    return path


class LiveForeign:
    """Publishes the same in real time, again and again, and takes goals and gripper commands.

    `goals`, `velocities` and `lifts` grow as commands come; with `follows` arm, finger and lift
    stand where they were last told to.
    """

    def __init__(
        self, context, robot: Foreign, *, hears: bool = True, follows: bool = False
    ) -> None:
        import rclpy
        from geometry_msgs.msg import PoseStamped
        from std_msgs.msg import Float64

        self.node = rclpy.create_node("ur_driver", context=context)
        self._robot, self._ended, self._follows = robot, threading.Event(), follows
        self.goals: list[tuple[float, float, float]] = []
        self.velocities: list[tuple[float, float, float]] = []
        self.lifts: list[float] = []
        self._publishers: dict[str, object] = {}
        self._reads = {"/tf_static"}
        if hears:
            self.controller = rclpy.create_node("controller", context=context)
            self.controller.create_subscription(PoseStamped, robot.goal, self._take, 1)
            self.controller.create_subscription(Float64, "gripper/command", self._grip, 1)
            if robot.drives:
                from geometry_msgs.msg import Twist
                from trajectory_msgs.msg import JointTrajectory

                self.controller.create_subscription(Twist, "cmd_vel", self._drive, 1)
                self.controller.create_subscription(JointTrajectory, LIFT_COMMAND, self._lift, 1)
        else:
            self.controller = None
        self._threads = [threading.Thread(target=self._run, daemon=True)]
        if self.controller is not None:
            spin = threading.Thread(target=self._spin, args=(context,), daemon=True)
            self._threads.append(spin)
        for thread in self._threads:
            thread.start()

    def _take(self, goal) -> None:
        point = goal.pose.position
        self.goals.append((point.x, point.y, point.z))
        if self._follows:
            self._robot.held = self.goals[-1]

    def _grip(self, command) -> None:
        if self._follows:
            self._robot.gripped = command.data

    def _drive(self, command) -> None:
        self.velocities.append((command.linear.x, command.linear.y, command.angular.z))

    def _lift(self, command) -> None:
        self.lifts.append(command.points[-1].positions[0])
        if self._follows:
            self._robot.lifted = self.lifts[-1]

    def _spin(self, context) -> None:
        from rclpy.executors import SingleThreadedExecutor

        executor = SingleThreadedExecutor(context=context)
        executor.add_node(self.controller)
        while not self._ended.is_set():
            executor.spin_once(timeout_sec=0.05)
        executor.shutdown()

    def _run(self) -> None:
        while not self._ended.is_set():
            start_ns = time.time_ns()
            for event in events(self._robot, start_ns, commanded=False):
                wait_s = (start_ns + event.after_ns - time.time_ns()) / S
                if self._ended.wait(max(0.0, wait_s)):
                    return
                self._publisher(event).publish(event.data)

    def _publisher(self, event: Event):
        from evla_ros.ros.message_types import message_class
        from evla_ros.ros.qos import latched, reliable

        if event.topic not in self._publishers:
            qos = latched() if event.topic == "/tf_static" else reliable()
            kind = message_class(event.type)
            self._publishers[event.topic] = self.node.create_publisher(kind, event.topic, qos)
        return self._publishers[event.topic]

    def close(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        self.node.destroy_node()
        if self.controller is not None:
            self.controller.destroy_node()


def _tf(rows: list[tuple[str, str, tuple[float, float, float]]], stamp_ns: int = 0) -> bytes:
    types = typestore().types
    transforms = []
    for parent, child, where in rows:
        time_ = types["builtin_interfaces/msg/Time"](*divmod(stamp_ns, S))
        header = types["std_msgs/msg/Header"](time_, parent)
        move = types["geometry_msgs/msg/Vector3"](*map(float, where))
        turn = types["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, 1.0)
        body = types["geometry_msgs/msg/Transform"](move, turn)
        transforms.append(types["geometry_msgs/msg/TransformStamped"](header, child, body))
    message = types[TF_MESSAGE](transforms)
    return bytes(typestore().serialize_cdr(message, TF_MESSAGE))


def _picture(number: int) -> np.ndarray:
    picture = np.full((48, 64, 3), 90, np.uint8)
    picture[:, number * 8 : number * 8 + 8] = (200, 40, 40)
    return picture
