# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Serialise the few messages a recording holds without ROS, through the `rosbags` typestore.

The bytes are what a ROS 2 publisher sends, so that bags recorded in lock-step with a simulator
cannot be told from bags recorded from the graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.bags.definitions import typestore
from evla_ros.data.messages import NANOSECONDS
from evla_ros.geometry.pose import Pose


def _encode(message_type: str, *fields: Any) -> bytes:
    store = typestore()
    return bytes(store.serialize_cdr(store.types[message_type](*fields), message_type))


def _header(stamp_ns: int, frame: str) -> Any:
    types = typestore().types
    seconds, nanoseconds = divmod(stamp_ns, NANOSECONDS)
    stamp = types["builtin_interfaces/msg/Time"](seconds, nanoseconds)
    return types["std_msgs/msg/Header"](stamp, frame)


def encode_image(stamp_ns: int, frame: str, rgb: npt.NDArray[np.uint8]) -> bytes:
    """Return a sensor_msgs/Image `rgb8` from uint8 [H, W, 3]."""
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
    """Return a sensor_msgs/JointState with positions only."""
    empty = np.zeros(0)
    header, values = _header(stamp_ns, ""), np.asarray(positions, np.float64)
    return _encode("sensor_msgs/msg/JointState", header, list(names), values, empty, empty)


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
    """Return an evla_ros/EpisodeEvent; `kind` and `outcome` as in its .msg file."""
    header = _header(stamp_ns, frame)
    values = (header, episode_id, kind, instruction, outcome, "", float(duration_s), note)
    return _encode("evla_ros/msg/EpisodeEvent", *values)
