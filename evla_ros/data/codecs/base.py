# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read and write the odometry and the velocity command of a mobile base.

A velocity is vx vy [m/s] and wz [rad/s] in the base's own frame. A command with any other
component is refused: an action has no number for it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from evla_ros.data.bags import encode
from evla_ros.data.messages import decode_odometry, decode_twist, decode_twist_stamped
from evla_ros.embodiment.streams import TWIST_STAMPED, Stream
from evla_ros.errors import EvlaError
from evla_ros.geometry.pose import Pose

Velocity = npt.NDArray[np.float64]  # [3] vx vy wz
PLANAR = 1e-6  # m/s, rad/s


class BaseMessageError(EvlaError):
    """A velocity that is no motion of a base in its plane, or is not finite."""


class OdometrySample(NamedTuple):
    """What a nav_msgs/Odometry says.

    Attributes:
        stamp_ns: Of its header [ns].
        frame: The base's own, in which the velocity is; empty where the sender leaves it out.
        pose: Of the base in the odometry's frame.
        velocity: [3] vx vy wz.
    """

    stamp_ns: int
    frame: str
    pose: Pose
    velocity: Velocity


class VelocityCommand(NamedTuple):
    """A velocity command; stamp_ns 0 and an empty frame where the message has no header."""

    stamp_ns: int
    frame: str
    velocity: Velocity


def odometry_from_cdr(data: bytes | memoryview) -> OdometrySample:
    """Return the content of a raw odometry; its motion out of the plane is left out.

    Raises:
        EvlaError: The bytes do not fit, or its pose or velocity is not finite.
    """
    message = decode_odometry(data)
    velocity = np.array([*message.linear_m_s[:2], message.angular_rad_s[2]])
    if not np.isfinite(velocity).all():
        raise BaseMessageError(f"its velocity {_shown(velocity)} is not finite")
    pose = Pose(message.position_m, message.quaternion_xyzw)
    return OdometrySample(message.header.stamp_ns, message.child_frame.lstrip("/"), pose, velocity)


def odometry_to_cdr(
    stamp_ns: int, frames: tuple[str, str], pose: Pose, velocity: npt.ArrayLike
) -> bytes:
    """Return an odometry as CDR; frames: of the pose, and of the base itself."""
    return encode.encode_odometry(stamp_ns, frames, pose, _list(velocity))


def odometry_fields(frames: tuple[str, str], pose: Pose, velocity: npt.ArrayLike) -> dict[str, Any]:
    """Return the fields of an odometry, without its stamp."""
    position, turn = pose.position_m.tolist(), pose.quaternion_xyzw.tolist()
    body = {
        "position": dict(zip("xyz", position, strict=True)),
        "orientation": dict(zip("xyzw", turn, strict=True)),
    }
    return {
        "header": {"frame_id": frames[0]},
        "child_frame_id": frames[1],
        "pose": {"pose": body},
        "twist": {"twist": _twist(velocity)},
    }


def velocity_from_cdr(stream: Stream, data: bytes | memoryview) -> VelocityCommand:
    """Return the content of a raw velocity command.

    Raises:
        CdrError: The bytes do not fit the message type.
        BaseMessageError: It is not finite, or would lift or tilt the base.
    """
    stamped = stream.type == TWIST_STAMPED
    message = decode_twist_stamped(data) if stamped else decode_twist(data)
    numbers = np.concatenate([message.linear_m_s, message.angular_rad_s])
    if not np.isfinite(numbers).all():
        raise BaseMessageError(f"the velocity {_shown(numbers)} is not finite")
    if np.abs(numbers[2:5]).max() > PLANAR:
        raise BaseMessageError(
            f"the velocity {_shown(numbers)} has vz, wx or wy; a base has vx, vy and wz only"
        )
    velocity = numbers[[0, 1, 5]]
    if message.header is None:
        return VelocityCommand(0, "", velocity)
    return VelocityCommand(message.header.stamp_ns, message.header.frame_id.lstrip("/"), velocity)


def velocity_to_cdr(stream: Stream, stamp_ns: int, frame: str, velocity: npt.ArrayLike) -> bytes:
    """Return a velocity command as CDR; stamp and frame where the message has a header."""
    stamp = (stamp_ns, frame) if stream.type == TWIST_STAMPED else None
    return encode.encode_twist(_list(velocity), stamp)


def velocity_fields(stream: Stream, frame: str, velocity: npt.ArrayLike) -> dict[str, Any]:
    """Return the fields of a velocity command, without its stamp."""
    if stream.type == TWIST_STAMPED:
        return {"header": {"frame_id": frame}, "twist": _twist(velocity)}
    return _twist(velocity)


def _twist(velocity: npt.ArrayLike) -> dict[str, Any]:
    vx, vy, wz = _list(velocity)
    return {"linear": {"x": vx, "y": vy}, "angular": {"z": wz}}


def _list(velocity: npt.ArrayLike) -> list[float]:
    return [float(number) for number in np.asarray(velocity, np.float64)]


def _shown(numbers: npt.NDArray[np.float64]) -> str:
    return f"[{', '.join(f'{number:.3g}' for number in numbers.tolist())}]"
