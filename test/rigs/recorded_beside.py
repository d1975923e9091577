# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages of what a robot records beside its inputs: a wrench, joints, numbers, depth, texts."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from synthetic_bag import SECOND, Event

from evla_ros.data.bags.definitions import typestore

SIZE = (24, 32)  # height, width [pixels]


def message(kind: str, *values: Any) -> Any:
    """Return a message from its fields, in their order."""
    package, name = kind.split("/")
    return typestore().types[f"{package}/msg/{name}"](*values)


def cdr(kind: str, value: Any) -> bytes:
    """Return the raw bytes of a message."""
    package, name = kind.split("/")
    return bytes(typestore().serialize_cdr(value, f"{package}/msg/{name}"))


def header(stamp_ns: int, frame: str = "tool0") -> Any:
    """Return a header."""
    return message(
        "std_msgs/Header", message("builtin_interfaces/Time", *divmod(stamp_ns, SECOND)), frame
    )


def vector(*numbers: float) -> Any:
    """Return a Vector3."""
    return message("geometry_msgs/Vector3", *map(float, numbers))


def wrench(stamp_ns: int, time_s: float) -> bytes:
    """Return a WrenchStamped: force 1 2 3 times the time, torque minus that."""
    force, torque = vector(time_s, 2 * time_s, 3 * time_s), vector(-time_s, 0, 0)
    body = message("geometry_msgs/Wrench", force, torque)
    return cdr(
        "geometry_msgs/WrenchStamped",
        message("geometry_msgs/WrenchStamped", header(stamp_ns), body),
    )


def joints(stamp_ns: int, names: list[str], effort: list[float]) -> bytes:
    """Return a JointState with positions 0, 1, 2 ... and these efforts."""
    numbers = np.arange(len(names), dtype=np.float64), np.zeros(0), np.array(effort, np.float64)
    return cdr(
        "sensor_msgs/JointState",
        message("sensor_msgs/JointState", header(stamp_ns), names, *numbers),
    )


def array(numbers: list[float]) -> bytes:
    """Return a Float64MultiArray."""
    layout = message("std_msgs/MultiArrayLayout", [], 0)
    values = np.array(numbers, np.float64)
    return cdr("std_msgs/Float64MultiArray", message("std_msgs/Float64MultiArray", layout, values))


def depth_mm(time_s: float) -> np.ndarray:
    """Return a slanted wall, uint16 [H, W] millimetres, with a hole in it."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    wall = (1000 + 10 * columns + 5 * rows + round(100 * time_s)).astype(np.uint16)
    wall[:3, :3] = 0
    return wall


def depth_image(stamp_ns: int, time_s: float, encoding: str = "16UC1") -> bytes:
    """Return a raw depth image."""
    wall = depth_mm(time_s)
    if encoding == "32FC1":
        wall = np.where(wall == 0, np.nan, wall / 1000.0).astype(np.float32)
    data = np.frombuffer(wall.tobytes(), np.uint8)
    fields = header(stamp_ns), *SIZE, encoding, 0, SIZE[1] * wall.itemsize, data
    return cdr("sensor_msgs/Image", message("sensor_msgs/Image", *fields))


def compressed_depth(stamp_ns: int, time_s: float, encoding: str = "16UC1") -> bytes:
    """Return depth as compressed_depth_image_transport does it."""
    wall, a, b = depth_mm(time_s), 0.0, 0.0
    if encoding == "32FC1":
        a, b = 100.0 * 101.0, -101.0 + 1.0
        with np.errstate(divide="ignore"):
            wall = np.where(wall == 0, 0, np.rint(a / (wall / 1000.0) + b)).astype(np.uint16)
    _, png = cv2.imencode(".png", wall)
    data = np.frombuffer(struct.pack("<iff", 0, a, b) + png.tobytes(), np.uint8)
    fields = header(stamp_ns), f"{encoding}; compressedDepth png", data
    return cdr("sensor_msgs/CompressedImage", message("sensor_msgs/CompressedImage", *fields))


def every(
    hz: float, seconds: float, topic: str, kind: str, make: Callable[[int, float], bytes],
    start_ns: int = 1_700_000_000 * SECOND,
) -> Iterator[Event]:  # fmt: skip
    """Yield the messages of a topic."""
    package, name = kind.split("/")
    for index in itertools.takewhile(lambda i: i < hz * seconds, itertools.count()):
        stamp_ns = start_ns + round(index * SECOND / hz)
        yield Event(stamp_ns, topic, f"{package}/msg/{name}", make(stamp_ns, index / hz))
