# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decode the standard messages a policy needs from raw CDR; needs neither ROS nor type files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from evla_ros.data.cdr import CdrError, CdrReader

Float64Array = npt.NDArray[np.float64]
NANOSECONDS = 1_000_000_000


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


class TwistStamped(NamedTuple):
    """geometry_msgs/TwistStamped: metres/second, radians/second."""

    header: Header
    linear_m_s: Float64Array
    angular_rad_s: Float64Array


class JointState(NamedTuple):
    """sensor_msgs/JointState: SI units, arrays may be empty."""

    header: Header
    names: tuple[str, ...]
    position: Float64Array
    velocity: Float64Array
    effort: Float64Array


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
    return Header(seconds * NANOSECONDS + reader.uint32(), reader.string())


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


def decode_twist_stamped(data: bytes | memoryview) -> TwistStamped:
    """Decode geometry_msgs/TwistStamped."""
    reader = CdrReader(data)
    return TwistStamped(_header(reader), _floats(reader, 3), _floats(reader, 3))


def decode_joint_state(data: bytes | memoryview) -> JointState:
    """Decode sensor_msgs/JointState."""
    reader = CdrReader(data)
    header, names = _header(reader), reader.strings()
    arrays = [reader.sequence("f8").astype(np.float64) for _ in range(3)]
    return JointState(header, names, *arrays)


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


def decode_bool(data: bytes | memoryview) -> bool:
    """Decode std_msgs/Bool."""
    return bool(CdrReader(data).scalar("B"))


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


def decode_float32(data: bytes | memoryview) -> float:
    """Decode std_msgs/Float32."""
    return float(CdrReader(data).scalar("f"))


def decode_header(data: bytes | memoryview) -> Header:
    """Decode only the leading std_msgs/Header of any message that starts with one."""
    return _header(CdrReader(data))


def header_stamp_ns(data: bytes | memoryview) -> int:
    """Read only the stamp of a message that starts with a std_msgs/Header (12 bytes touched)."""
    reader = CdrReader(data[:12])
    return int(reader.scalar("i")) * NANOSECONDS + reader.uint32()


DECODERS: dict[str, Callable[[bytes | memoryview], Any]] = {
    "sensor_msgs/msg/Image": decode_image,
    "sensor_msgs/msg/CompressedImage": decode_compressed_image,
    "sensor_msgs/msg/JointState": decode_joint_state,
    "geometry_msgs/msg/PoseStamped": decode_pose_stamped,
    "geometry_msgs/msg/TwistStamped": decode_twist_stamped,
    "tf2_msgs/msg/TFMessage": decode_tf_message,
    "std_msgs/msg/String": decode_string,
    "std_msgs/msg/Bool": decode_bool,
    "std_msgs/msg/Float64": decode_float64,
    "std_msgs/msg/Float32": decode_float32,
    "std_msgs/msg/Float64MultiArray": decode_float64_array,
    "evla_ros/msg/EpisodeEvent": decode_episode_event,
    "std_msgs/msg/Header": decode_header,
}
HEADER_FIRST = frozenset(
    f"{package}/msg/{name}"
    for package, names in {
        "sensor_msgs": "Image CompressedImage CameraInfo JointState Joy Imu PointCloud2 LaserScan",
        "geometry_msgs": (
            "PoseStamped TwistStamped WrenchStamped TransformStamped PointStamped Vector3Stamped "
            "AccelStamped PoseWithCovarianceStamped TwistWithCovarianceStamped"
        ),
        "nav_msgs": "Odometry",
        "trajectory_msgs": "JointTrajectory",
        "diagnostic_msgs": "DiagnosticArray",
    }.items()
    for name in names.split()
)
