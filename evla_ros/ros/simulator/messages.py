# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The state of the simulated robot as standard messages."""

from __future__ import annotations

import array
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState

from evla_ros.control.ticks import ArmTick, Told
from evla_ros.data.codecs.camera import is_compressed
from evla_ros.data.image_jpeg import ImageArray, encode_jpeg
from evla_ros.embodiment import action_columns
from evla_ros.geometry import Pose, apply_delta

if TYPE_CHECKING:
    from evla_ros.sim.world import World


def pose_of(message: PoseStamped) -> Pose:
    """Return the pose of a goal; raises GeometryError when it is not finite or has no direction."""
    point, turn = message.pose.position, message.pose.orientation
    return Pose(np.array([point.x, point.y, point.z]), np.array([turn.x, turn.y, turn.z, turn.w]))


def camera_message(
    message_type: str, image: ImageArray, frame: str, stamp: Time, quality: int
) -> Image | CompressedImage:
    """Return an image [H, W, 3] as the message a camera sends; `quality` (1 to 100) is of JPEG."""
    if is_compressed(message_type):
        return jpeg_message(image, frame, stamp, quality)
    return image_message(image, frame, stamp)


def image_message(image: ImageArray, frame: str, stamp: Time) -> Image:
    """Return a raw rgb8 image."""
    message = _stamped(Image(), frame, stamp)
    message.height, message.width = image.shape[:2]
    message.encoding, message.step = "rgb8", 3 * image.shape[1]
    message.data = array.array("B", image.tobytes())
    return message


def jpeg_message(image: ImageArray, frame: str, stamp: Time, quality: int) -> CompressedImage:
    """Return a JPEG image, in the format string of image_transport."""
    message = _stamped(CompressedImage(), frame, stamp)
    message.format = "rgb8; jpeg compressed bgr8"
    message.data = array.array("B", encode_jpeg(image, quality))
    return message


def camera_info_message(world: World, camera: str, frame: str, stamp: Time) -> CameraInfo:
    """Return the pinhole model of a camera: square pixels, no distortion, centre of the image."""
    size = world.image_size
    fovy_rad = math.radians(float(world.model.camera(world.mjcf_camera(camera)).fovy[0]))
    focal, centre = 0.5 * size / math.tan(0.5 * fovy_rad), 0.5 * size
    message = _stamped(CameraInfo(), frame, stamp)
    message.height = message.width = size
    message.distortion_model, message.d = "plumb_bob", [0.0] * 5
    message.k = [focal, 0.0, centre, 0.0, focal, centre, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [focal, 0.0, centre, 0.0, 0.0, focal, centre, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message


def joint_state_message(world: World, stamp: Time) -> JointState:
    """Return position [rad] and velocity [rad/s] of arms and axes, by the names of the file."""
    message = _stamped(JointState(), "", stamp)
    for arm, described in zip(world.arms, world.embodiment.arms, strict=True):
        names = described.joints or [f"{arm.prefix}joint{i + 1}" for i in range(len(arm.qpos))]
        message.name.extend(names)
        message.position.extend(world.data.qpos[arm.qpos].tolist())
        message.velocity.extend(world.data.qvel[arm.dofs].tolist())
    for axis in world.axes:
        message.name.append(axis.joint)
        message.position.append(axis.position(world.data))
        message.velocity.append(float(world.data.qvel[axis.dof]))
    return message


def told_by(world: World, action: npt.NDArray[np.float64]) -> Told:
    """Return what every part is told by an action [D] that starts from what is measured now."""
    columns = action_columns(world.embodiment)
    arms = [
        ArmTick(apply_delta(arm.pose(world.data), action[part][:6]), float(action[part][6]))
        for arm, part in zip(world.arms, columns.arms, strict=True)
    ]
    base = None
    if columns.base is not None:
        vx, vy, wz = action[columns.base].tolist()
        base = (vx, vy, wz)
    return Told(tuple(arms), base, tuple(float(action[axis]) for axis in columns.axes))


def _stamped(message: Any, frame: str, stamp: Time) -> Any:
    message.header.frame_id, message.header.stamp = frame, stamp
    return message
