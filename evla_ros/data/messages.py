# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decode the standard messages a policy needs from raw CDR; needs neither ROS nor type files."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evla_ros.data.cdr import CdrError, CdrReader
from evla_ros.units import SECOND_NS

Float64Array = npt.NDArray[np.float64]
_COVARIANCE = 36
_GOAL_ID = 16  # bytes before the feedback of an action


class Header(NamedTuple):
    """std_msgs/Header: capture time in nanoseconds and frame."""

    stamp_ns: int
    frame_id: str


class ImageMessage(NamedTuple):
    """sensor_msgs/Image; `data` is a read-only view into the message, `step` in bytes."""

    header: Header
    height: int
    width: int
    encoding: str
    is_bigendian: bool
    step: int
    data: npt.NDArray[np.uint8]


class CompressedImageMessage(NamedTuple):
    """sensor_msgs/CompressedImage; `data` is the JPEG or PNG file as a read-only view."""

    header: Header
    format: str
    data: npt.NDArray[np.uint8]


class PoseStamped(NamedTuple):
    """geometry_msgs/PoseStamped: metres, unit quaternion xyzw as sent."""

    header: Header
    position_m: Float64Array
    quaternion_xyzw: Float64Array


class JointState(NamedTuple):
    """sensor_msgs/JointState: SI units, arrays may be empty."""

    header: Header
    names: tuple[str, ...]
    position: Float64Array
    velocity: Float64Array
    effort: Float64Array


class Twist(NamedTuple):
    """geometry_msgs/Twist: m/s and rad/s about x y z; the header of a TwistStamped, else None."""

    header: Header | None
    linear_m_s: Float64Array
    angular_rad_s: Float64Array


class Odometry(NamedTuple):
    """nav_msgs/Odometry: pose of `child_frame` in `header.frame_id`, velocity in `child_frame`."""

    header: Header
    child_frame: str
    position_m: Float64Array
    quaternion_xyzw: Float64Array
    linear_m_s: Float64Array
    angular_rad_s: Float64Array


class JointTrajectory(NamedTuple):
    """trajectory_msgs/JointTrajectory: positions [rad or m] of its last point, by joint."""

    header: Header
    joint_names: tuple[str, ...]
    last_positions: Float64Array


class PoseTrajectory(NamedTuple):
    """trajectory_msgs/MultiDOFJointTrajectory: times from the start [ns], and the transforms.

    transforms: one tuple a point, each with (translation [m], quaternion xyzw as sent).
    """

    header: Header
    joint_names: tuple[str, ...]
    after_ns: tuple[int, ...]
    transforms: tuple[tuple[tuple[Float64Array, Float64Array], ...], ...]


class EpisodeEvent(NamedTuple):
    """evla_ros/EpisodeEvent: a mark on the timeline; `kind` and `outcome` as in the .msg file."""

    header: Header
    episode_id: str
    kind: int
    instruction: str
    outcome: int
    bag_path: str
    duration_s: float
    note: str


class Transform(NamedTuple):
    """One geometry_msgs/TransformStamped: pose of `child_frame` in `header.frame_id`."""

    header: Header
    child_frame: str
    translation_m: Float64Array
    quaternion_xyzw: Float64Array


def _header(reader: CdrReader) -> Header:
    seconds = int(reader.scalar("i"))
    return Header(seconds * SECOND_NS + reader.uint32(), reader.string())


def decode_image(data: bytes | memoryview) -> ImageMessage:
    """Decode sensor_msgs/Image."""
    reader = CdrReader(data)
    header = _header(reader)
    height, width = reader.uint32(), reader.uint32()
    encoding = reader.string()
    big, step = bool(reader.scalar("B")), reader.uint32()
    return ImageMessage(header, height, width, encoding, big, step, reader.sequence("u1"))


def decode_compressed_image(data: bytes | memoryview) -> CompressedImageMessage:
    """Decode sensor_msgs/CompressedImage."""
    reader = CdrReader(data)
    return CompressedImageMessage(_header(reader), reader.string(), reader.sequence("u1"))


def _floats(reader: CdrReader, count: int) -> Float64Array:
    return reader.array("f8", count).astype(np.float64)


def decode_pose_stamped(data: bytes | memoryview) -> PoseStamped:
    """Decode geometry_msgs/PoseStamped."""
    reader = CdrReader(data)
    return PoseStamped(_header(reader), _floats(reader, 3), _floats(reader, 4))


def decode_joint_state(data: bytes | memoryview) -> JointState:
    """Decode sensor_msgs/JointState."""
    reader = CdrReader(data)
    header, names = _header(reader), reader.strings()
    arrays = [reader.sequence("f8").astype(np.float64) for _ in range(3)]
    return JointState(header, names, *arrays)


def decode_twist(data: bytes | memoryview) -> Twist:
    """Decode geometry_msgs/Twist."""
    reader = CdrReader(data)
    return Twist(None, _floats(reader, 3), _floats(reader, 3))


def decode_twist_stamped(data: bytes | memoryview) -> Twist:
    """Decode geometry_msgs/TwistStamped."""
    reader = CdrReader(data)
    return Twist(_header(reader), _floats(reader, 3), _floats(reader, 3))


def decode_odometry(data: bytes | memoryview) -> Odometry:
    """Decode nav_msgs/Odometry; its covariances are skipped."""
    reader = CdrReader(data)
    header, child = _header(reader), reader.string()
    position, turn = _floats(reader, 3), _floats(reader, 4)
    reader.array("f8", _COVARIANCE)
    linear, angular = _floats(reader, 3), _floats(reader, 3)
    reader.array("f8", _COVARIANCE)
    return Odometry(header, child, position, turn, linear, angular)


def decode_joint_trajectory(data: bytes | memoryview) -> JointTrajectory:
    """Decode trajectory_msgs/JointTrajectory; of its points only the last one's positions."""
    reader = CdrReader(data)
    header, names, points = _header(reader), reader.strings(), reader.uint32()
    if points * 24 > reader.remaining + 24:
        raise CdrError(f"{points} trajectory points do not fit into {reader.remaining} bytes")
    last = np.zeros(0)
    for _ in range(points):
        last = reader.sequence("f8").astype(np.float64)
        for _further in ("velocities", "accelerations", "effort"):
            reader.sequence("f8")
        reader.scalar("i")
        reader.uint32()
    return JointTrajectory(header, names, last)


def decode_pose_trajectory(data: bytes | memoryview) -> PoseTrajectory:
    """Decode trajectory_msgs/MultiDOFJointTrajectory; velocities and accelerations are skipped."""
    reader = CdrReader(data)
    header, names, points = _header(reader), reader.strings(), reader.uint32()
    if points * 20 > reader.remaining + 20:
        raise CdrError(f"{points} trajectory points do not fit into {reader.remaining} bytes")
    times, transforms = [], []
    for _ in range(points):
        transforms.append(
            tuple((_floats(reader, 3), _floats(reader, 4)) for _ in range(_count(reader, 7 * 8)))
        )
        for _further in ("velocities", "accelerations"):
            _floats(reader, 6 * _count(reader, 6 * 8))
        seconds = int(reader.scalar("i"))
        times.append(seconds * SECOND_NS + reader.uint32())
    return PoseTrajectory(header, names, tuple(times), tuple(transforms))


def _count(reader: CdrReader, size: int) -> int:
    """Return the length of a sequence of items of `size` bytes each."""
    count = reader.uint32()
    if count * size > reader.remaining:
        raise CdrError(f"{count} items do not fit into {reader.remaining} bytes")
    return count


def decode_gripper_feedback(data: bytes | memoryview) -> float:
    """Decode the position in a control_msgs/action/GripperCommand_FeedbackMessage."""
    reader = CdrReader(data)
    reader.array("u1", _GOAL_ID)
    position = float(reader.scalar("d"))
    reader.scalar("d")  # effort
    reader.array("u1", 2)  # stalled, reached_goal
    return position


def decode_parallel_gripper_feedback(data: bytes | memoryview) -> JointState:
    """Decode the state in a control_msgs/action/ParallelGripperCommand_FeedbackMessage."""
    raw = bytes(data)
    if len(raw) < 4 + _GOAL_ID:
        raise CdrError(f"message ends at byte {len(raw)}, needed {4 + _GOAL_ID}")
    return decode_joint_state(raw[:4] + raw[4 + _GOAL_ID :])  # a multiple of every alignment


def decode_tf_message(data: bytes | memoryview) -> tuple[Transform, ...]:
    """Decode tf2_msgs/TFMessage."""
    reader = CdrReader(data)
    count = reader.uint32()
    if count * 72 > reader.remaining + 72:
        raise CdrError(f"{count} transforms do not fit into {reader.remaining} bytes")
    return tuple(
        Transform(_header(reader), reader.string(), _floats(reader, 3), _floats(reader, 4))
        for _ in range(count)
    )


def decode_string(data: bytes | memoryview) -> str:
    """Decode std_msgs/String."""
    return CdrReader(data).string()


def decode_float64(data: bytes | memoryview) -> float:
    """Decode std_msgs/Float64."""
    return float(CdrReader(data).scalar("d"))


def decode_float64_array(data: bytes | memoryview) -> Float64Array:
    """Decode the numbers of a std_msgs/Float64MultiArray; its layout is skipped."""
    reader = CdrReader(data)
    dimensions = reader.uint32()
    if dimensions * 12 > reader.remaining + 12:
        raise CdrError(f"{dimensions} dimensions do not fit into {reader.remaining} bytes")
    for _ in range(dimensions):
        reader.string()
        reader.uint32()
        reader.uint32()
    reader.uint32()
    return reader.sequence("f8").astype(np.float64)


def decode_episode_event(data: bytes | memoryview) -> EpisodeEvent:
    """Decode evla_ros/EpisodeEvent."""
    reader = CdrReader(data)
    header, episode_id, kind = _header(reader), reader.string(), int(reader.scalar("B"))
    instruction, outcome = reader.string(), int(reader.scalar("B"))
    path, duration = reader.string(), float(reader.scalar("d"))
    return EpisodeEvent(
        header, episode_id, kind, instruction, outcome, path, duration, reader.string()
    )


def header_stamp_ns(data: bytes | memoryview) -> int:
    """Read only the stamp of a message that starts with a std_msgs/Header (12 bytes touched)."""
    reader = CdrReader(data[:12])
    return int(reader.scalar("i")) * SECOND_NS + reader.uint32()


# Not trajectories: the stamp of one says when it is to begin, often 0 for now.
HEADER_FIRST = frozenset(
    f"{package}/msg/{name}"
    for package, names in {
        "sensor_msgs": "Image CompressedImage CameraInfo JointState Joy Imu PointCloud2 LaserScan",
        "geometry_msgs": (
            "PoseStamped TwistStamped WrenchStamped TransformStamped PointStamped Vector3Stamped "
            "AccelStamped PoseWithCovarianceStamped TwistWithCovarianceStamped"
        ),
        "nav_msgs": "Odometry",
        "diagnostic_msgs": "DiagnosticArray",
    }.items()
    for name in names.split()
)
