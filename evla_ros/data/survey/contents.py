# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is in the messages of a topic, one class for each kind that a robot description needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from evla_ros.data.codecs.base import odometry_from_cdr
from evla_ros.data.codecs.camera import is_compressed, rgb_from_cdr
from evla_ros.data.messages import (
    decode_compressed_image,
    decode_float64,
    decode_float64_array,
    decode_image,
    decode_joint_state,
    decode_pose_stamped,
    decode_string,
    decode_tf_message,
)
from evla_ros.data.survey.tf_frames import TfFrames
from evla_ros.data.survey.values import PoseTrace, Span
from evla_ros.embodiment.streams import (
    COMPRESSED_IMAGE,
    FLOAT64,
    FLOAT64_ARRAY,
    IMAGE,
    JOINT_STATE,
    ODOMETRY,
    POSE_STAMPED,
    STRING,
    TF_MESSAGE,
)


class Contents(Protocol):
    """Takes the messages of one topic."""

    def take(self, time_ns: int, data: bytes) -> str | None:
        """Take one message; returns its frame where it has one. EvlaError: it cannot be read."""
        ...


class Pictures:
    """Size and encoding of a camera's images; the first one is decoded.

    Attributes:
        size: width and height in pixels, once an image was decoded.
        encoding: such as `rgb8`, or the format of a compressed image.
    """

    def __init__(self, message_type: str) -> None:
        self._type = message_type
        self.size: tuple[int, int] | None = None
        self.encoding = ""

    def take(self, time_ns: int, data: bytes) -> str | None:  # noqa: ARG002 - as the protocol
        """Take one image."""
        if self.size is not None:
            return None
        if is_compressed(self._type):
            packed = decode_compressed_image(data)
            kinds = (kind for kind in ("jpeg", "png") if kind in packed.format)
            self.encoding, frame = next(kinds, packed.format), packed.header.frame_id
        else:
            plain = decode_image(data)
            self.encoding, frame = plain.encoding, plain.header.frame_id
        rgb = rgb_from_cdr(data, self._type)
        self.size = rgb.shape[1], rgb.shape[0]
        return frame


class Poses:
    """Where a PoseStamped was."""

    def __init__(self) -> None:
        self.trace = PoseTrace()

    def take(self, time_ns: int, data: bytes) -> str | None:
        """Take one pose."""
        message = decode_pose_stamped(data)
        self.trace.add(time_ns, message.position_m, message.quaternion_xyzw)
        return message.header.frame_id


class Joints:
    """Names and ranges of joints; `without_position` are those that were named without one."""

    def __init__(self) -> None:
        self.spans: dict[str, Span] = {}
        self.without_position: set[str] = set()

    def take(self, time_ns: int, data: bytes) -> str | None:  # noqa: ARG002 - as the protocol
        """Take one JointState."""
        state = decode_joint_state(data)
        values = state.position.tolist()
        for index, name in enumerate(state.names):
            if index < len(values):
                self.spans.setdefault(name, Span()).add(values[index])
            else:
                self.without_position.add(name)
        return None


class Numbers:
    """The range of a Float64, or of the first number of an array; `length` of the longest array."""

    def __init__(self, message_type: str) -> None:
        self._many = message_type == FLOAT64_ARRAY
        self.span = Span()
        self.length = 1

    def take(self, time_ns: int, data: bytes) -> str | None:  # noqa: ARG002 - as the protocol
        """Take one message."""
        if self._many:
            values = decode_float64_array(data)
            self.length = max(self.length, len(values))
            if len(values):
                self.span.add(float(values[0]))
        else:
            self.span.add(decode_float64(data))
        return None


class Odometries:
    """How a base moved; speeds: ranges of vx, vy [m/s] and wz [rad/s]."""

    def __init__(self) -> None:
        self.speeds = (Span(), Span(), Span())

    def take(self, time_ns: int, data: bytes) -> str | None:  # noqa: ARG002 - as the protocol
        """Take one Odometry; its frame is the base's own."""
        sample = odometry_from_cdr(data)
        for span, value in zip(self.speeds, sample.velocity.tolist(), strict=True):
            span.add(value)
        return sample.frame


class Texts:
    """The last text."""

    def __init__(self) -> None:
        self.last = ""

    def take(self, time_ns: int, data: bytes) -> str | None:  # noqa: ARG002 - as the protocol
        """Take one text."""
        self.last = decode_string(data)
        return None


class Transforms:
    """The frames of a TF topic."""

    def __init__(self) -> None:
        self.frames = TfFrames()

    def take(self, time_ns: int, data: bytes) -> str | None:
        """Take one message."""
        self.frames.take(time_ns, decode_tf_message(data))
        return None


_MAKERS: dict[str, Callable[[], Contents]] = {
    IMAGE: lambda: Pictures(IMAGE),
    COMPRESSED_IMAGE: lambda: Pictures(COMPRESSED_IMAGE),
    POSE_STAMPED: Poses,
    JOINT_STATE: Joints,
    FLOAT64: lambda: Numbers(FLOAT64),
    FLOAT64_ARRAY: lambda: Numbers(FLOAT64_ARRAY),
    ODOMETRY: Odometries,
    STRING: Texts,
    TF_MESSAGE: Transforms,
}


def contents_of(message_type: str) -> Contents | None:
    """Return what reads the messages of a type; None for one that is only counted."""
    make = _MAKERS.get(message_type)
    return None if make is None else make()


def is_read(message_type: str) -> bool:
    """Return whether something is read from the messages of a type."""
    return message_type in _MAKERS
