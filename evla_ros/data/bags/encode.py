# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Serialise the few message types of a recording without ROS, through the `rosbags` typestore.

The bytes are those that a ROS 2 publisher sends, so bags written by a simulator are like bags
recorded from a running system.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.bags.definitions import typestore
from evla_ros.geometry import Pose, TimedPose
from evla_ros.units import SECOND_NS


def _encode(message_type: str, *fields: Any) -> bytes:
    store = typestore()
    return bytes(store.serialize_cdr(store.types[message_type](*fields), message_type))


def _header(stamp_ns: int, frame: str) -> Any:
    types = typestore().types
    seconds, nanoseconds = divmod(stamp_ns, SECOND_NS)
    stamp = types["builtin_interfaces/msg/Time"](seconds, nanoseconds)
    return types["std_msgs/msg/Header"](stamp, frame)


def encode_image(stamp_ns: int, frame: str, rgb: npt.NDArray[np.uint8]) -> bytes:
    """Return a sensor_msgs/Image (`rgb8`) of uint8 [H, W, 3] as CDR."""
    height, width = rgb.shape[:2]
    data = np.ascontiguousarray(rgb).reshape(-1)
    header = _header(stamp_ns, frame)
    return _encode("sensor_msgs/msg/Image", header, height, width, "rgb8", 0, width * 3, data)


def encode_compressed_image(stamp_ns: int, frame: str, jpeg: bytes) -> bytes:
    """Return a sensor_msgs/CompressedImage from JPEG bytes."""
    data = np.frombuffer(jpeg, np.uint8)
    return _encode("sensor_msgs/msg/CompressedImage", _header(stamp_ns, frame), "jpeg", data)


def encode_pose(stamp_ns: int, frame: str, pose: Pose) -> bytes:
    """Return a geometry_msgs/PoseStamped."""
    types = typestore().types
    point = types["geometry_msgs/msg/Point"](*pose.position_m.tolist())
    turn = types["geometry_msgs/msg/Quaternion"](*pose.quaternion_xyzw.tolist())
    body = types["geometry_msgs/msg/Pose"](point, turn)
    return _encode("geometry_msgs/msg/PoseStamped", _header(stamp_ns, frame), body)


def encode_transform(stamp_ns: int, parent: str, child: str, pose: Pose) -> bytes:
    """Return a tf2_msgs/TFMessage with one transform: the pose of `child` in `parent`."""
    kind = typestore().types["geometry_msgs/msg/TransformStamped"]
    one = kind(_header(stamp_ns, parent), child, _transform(pose))
    return _encode("tf2_msgs/msg/TFMessage", [one])


def _transform(pose: Pose) -> Any:
    types = typestore().types
    return types["geometry_msgs/msg/Transform"](
        types["geometry_msgs/msg/Vector3"](*pose.position_m.tolist()),
        types["geometry_msgs/msg/Quaternion"](*pose.quaternion_xyzw.tolist()),
    )


def encode_twist(velocity: Sequence[float], stamp: tuple[int, str] | None = None) -> bytes:
    """Return a geometry_msgs/Twist of vx vy [m/s] and wz [rad/s].

    With `stamp`, (stamp_ns, frame), a geometry_msgs/TwistStamped.
    """
    twist = _twist(velocity)
    if stamp is None:
        return _encode("geometry_msgs/msg/Twist", twist.linear, twist.angular)
    return _encode("geometry_msgs/msg/TwistStamped", _header(*stamp), twist)


def encode_odometry(
    stamp_ns: int, frames: tuple[str, str], pose: Pose, velocity: Sequence[float]
) -> bytes:
    """Return a nav_msgs/Odometry without covariances.

    Args:
        stamp_ns: Of its header [ns].
        frames: Of the pose (`odom`), and of the base itself, in which the velocity is.
        pose: Of the base.
        velocity: vx vy [m/s] and wz [rad/s].
    """
    types = typestore().types
    point = types["geometry_msgs/msg/Point"](*pose.position_m.tolist())
    turn = types["geometry_msgs/msg/Quaternion"](*pose.quaternion_xyzw.tolist())
    body, unknown = types["geometry_msgs/msg/Pose"](point, turn), np.zeros(36)
    where = types["geometry_msgs/msg/PoseWithCovariance"](body, unknown)
    moving = types["geometry_msgs/msg/TwistWithCovariance"](_twist(velocity), unknown)
    header = _header(stamp_ns, frames[0])
    return _encode("nav_msgs/msg/Odometry", header, frames[1], where, moving)


def _twist(velocity: Sequence[float]) -> Any:
    vector = typestore().types["geometry_msgs/msg/Vector3"]
    vx, vy, wz = (float(number) for number in velocity)
    linear, angular = vector(vx, vy, 0.0), vector(0.0, 0.0, wz)
    return typestore().types["geometry_msgs/msg/Twist"](linear, angular)


def encode_joint_trajectory(
    names: Sequence[str], positions: Sequence[float], duration_s: float
) -> bytes:
    """Return a trajectory_msgs/JointTrajectory to positions [rad or m], beginning at once."""
    types, empty = typestore().types, np.zeros(0)
    seconds, rest = divmod(round(duration_s * SECOND_NS), SECOND_NS)
    duration = types["builtin_interfaces/msg/Duration"](seconds, rest)
    point = types["trajectory_msgs/msg/JointTrajectoryPoint"](
        np.asarray(positions, np.float64), empty, empty, empty, duration
    )
    header = _header(0, "")
    return _encode("trajectory_msgs/msg/JointTrajectory", header, list(names), [point])


def encode_pose_trajectory(stamp_ns: int, frame: str, way: Sequence[TimedPose]) -> bytes:
    """Return a trajectory_msgs/MultiDOFJointTrajectory with one transform a point."""
    types = typestore().types
    points = []
    for after_ns, pose in way:
        transform = _transform(pose)
        after = types["builtin_interfaces/msg/Duration"](*divmod(after_ns, SECOND_NS))
        points.append(
            types["trajectory_msgs/msg/MultiDOFJointTrajectoryPoint"]([transform], [], [], after)
        )
    kind = "trajectory_msgs/msg/MultiDOFJointTrajectory"
    return _encode(kind, _header(stamp_ns, frame), [], points)


def encode_float64(value: float) -> bytes:
    """Return a std_msgs/Float64."""
    return _encode("std_msgs/msg/Float64", float(value))


def encode_float64_array(values: Sequence[float]) -> bytes:
    """Return a std_msgs/Float64MultiArray with an empty layout."""
    layout = typestore().types["std_msgs/msg/MultiArrayLayout"]([], 0)
    return _encode("std_msgs/msg/Float64MultiArray", layout, np.asarray(values, np.float64))


def encode_string(text: str) -> bytes:
    """Return a std_msgs/String."""
    return _encode("std_msgs/msg/String", text)


def encode_joint_state(stamp_ns: int, names: Sequence[str], positions: Sequence[float]) -> bytes:
    """Return a sensor_msgs/JointState with positions only [rad or m] as CDR."""
    empty = np.zeros(0)
    header, values = _header(stamp_ns, ""), np.asarray(positions, np.float64)
    return _encode("sensor_msgs/msg/JointState", header, list(names), values, empty, empty)


def encode_gripper_feedback(position: float) -> bytes:
    """Return a control_msgs/action/GripperCommand_FeedbackMessage of a goal without an id."""
    return b"\0\1\0\0" + bytes(16) + struct.pack("<dd??", position, 0.0, False, False)


def encode_parallel_gripper_feedback(
    stamp_ns: int, names: Sequence[str], positions: Sequence[float]
) -> bytes:
    """Return a control_msgs/action/ParallelGripperCommand_FeedbackMessage; see above."""
    state = encode_joint_state(stamp_ns, names, positions)
    return state[:4] + bytes(16) + state[4:]


def encode_episode_event(
    stamp_ns: int,
    frame: str,
    episode_id: str,
    kind: int,
    instruction: str = "",
    outcome: int = 0,
    duration_s: float = 0.0,
    note: str = "",
) -> bytes:
    """Return an evla_ros/EpisodeEvent as CDR; `kind` and `outcome` are numbers of its .msg file."""
    header = _header(stamp_ns, frame)
    values = (header, episode_id, kind, instruction, outcome, "", float(duration_s), note)
    return _encode("evla_ros/msg/EpisodeEvent", *values)
