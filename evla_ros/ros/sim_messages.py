# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the simulated robot says, as standard messages."""

from __future__ import annotations

import array
import math
from typing import TYPE_CHECKING, Any

from builtin_interfaces.msg import Time
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState

from evla_ros.data.image_jpeg import ImageArray, encode_jpeg
from evla_ros.geometry import Pose

if TYPE_CHECKING:
    from evla_ros.sim.world import World


def pose_of(message: PoseStamped) -> Pose:
    """Return the pose of a goal; raises GeometryError when it is not finite or has no direction."""
    point, quaternion = message.pose.position, message.pose.orientation
    return Pose(
        [point.x, point.y, point.z], [quaternion.x, quaternion.y, quaternion.z, quaternion.w]
    )


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
    size = world.cameras.size
    fovy_rad = math.radians(float(world.model.camera(world.cameras.mjcf_name(camera)).fovy[0]))
    focal, centre = 0.5 * size / math.tan(0.5 * fovy_rad), 0.5 * size
    message = _stamped(CameraInfo(), frame, stamp)
    message.height = message.width = size
    message.distortion_model, message.d = "plumb_bob", [0.0] * 5
    message.k = [focal, 0.0, centre, 0.0, focal, centre, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [focal, 0.0, centre, 0.0, 0.0, focal, centre, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message


def joint_state_message(world: World, stamp: Time) -> JointState:
    """Return position [rad] and velocity [rad/s] of the arm joints, named as in the embodiment."""
    message = _stamped(JointState(), "", stamp)
    for arm, described in zip(world.arms, world.embodiment.arms, strict=True):
        names = described.joints or [f"{arm.prefix}joint{i + 1}" for i in range(len(arm.qpos))]
        message.name.extend(names)
        message.position.extend(world.data.qpos[arm.qpos].tolist())
        message.velocity.extend(world.data.qvel[arm.dofs].tolist())
    return message


def _stamped(message: Any, frame: str, stamp: Time) -> Any:
    message.header.frame_id, message.header.stamp = frame, stamp
    return message
