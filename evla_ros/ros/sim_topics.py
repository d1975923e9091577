# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the simulated robot publishes, on the topics that the embodiment file names."""

from __future__ import annotations

from typing import Any, NamedTuple

from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import Float64, String

from evla_ros.embodiment import Arm, Camera
from evla_ros.ros.pose_conversion import pose_stamped, time_message
from evla_ros.ros.qos import latched, reliable
from evla_ros.ros.sim_messages import (
    camera_info_message,
    image_message,
    joint_state_message,
    jpeg_message,
)
from evla_ros.sim.world import World


class CameraTopics(NamedTuple):
    """Publishers of one camera; None for a transport that is not published."""

    name: str
    frame: str
    raw: Any
    jpeg: Any
    info: Any

    @property
    def wanted(self) -> bool:
        """Whether anybody listens to the images."""
        return any(p is not None and p.get_subscription_count() > 0 for p in (self.raw, self.jpeg))


class SimTopics:
    """Publishes the robot's state; nothing is rendered or encoded that nobody listens to."""

    def __init__(self, node: Node, world: World, *, compressed: bool, jpeg_quality: int) -> None:
        """Create the publishers of every camera and arm."""
        self._world, self._jpeg_quality = world, jpeg_quality
        embodiment = world.embodiment
        self.cameras = [
            _camera_topics(node, name, camera, compressed=compressed)
            for name, camera in embodiment.cameras.items()
        ]
        self._poses = [
            node.create_publisher(PoseStamped, arm.pose.topic, reliable(5))
            if arm.pose.topic
            else None
            for arm in embodiment.arms
        ]
        self._grippers = [_gripper_publisher(node, arm) for arm in embodiment.arms]
        self._joints = node.create_publisher(JointState, embodiment.joint_states, reliable(5))
        self._instruction = node.create_publisher(String, embodiment.instruction.topic, latched())

    def publish_state(self, stamp_ns: int) -> None:
        """Publish joint states, tool poses and gripper openings."""
        world, stamp = self._world, time_message(stamp_ns)
        self._joints.publish(joint_state_message(world, stamp))
        described = world.embodiment.arms
        for arm, spec, pose, gripper in zip(
            world.arms, described, self._poses, self._grippers, strict=True
        ):
            if pose is not None:
                frame = world.embodiment.base_frame
                pose.publish(pose_stamped(arm.pose(world.data), frame, stamp_ns))
            if gripper is not None and spec.gripper is not None:
                value = spec.gripper.device_value(arm.opening(world.data))
                gripper.publish(_gripper_message(spec, value, stamp))

    def publish_cameras(self, stamp_ns: int) -> None:
        """Render and publish the cameras that somebody listens to, all at one instant."""
        stamp = time_message(stamp_ns)
        for camera in self.cameras:
            if camera.wanted:
                image = self._world.images([camera.name])[camera.name]
                if camera.raw is not None and camera.raw.get_subscription_count():
                    camera.raw.publish(image_message(image, camera.frame, stamp))
                if camera.jpeg is not None and camera.jpeg.get_subscription_count():
                    jpeg = jpeg_message(image, camera.frame, stamp, self._jpeg_quality)
                    camera.jpeg.publish(jpeg)
            if camera.info.get_subscription_count():
                info = camera_info_message(self._world, camera.name, camera.frame, stamp)
                camera.info.publish(info)

    def publish_instruction(self, words: str) -> None:
        """State the task."""
        self._instruction.publish(String(data=words))


def _camera_topics(node: Node, name: str, camera: Camera, *, compressed: bool) -> CameraTopics:
    only_jpeg = camera.transport == "compressed"
    base = camera.topic.removesuffix("/compressed") if only_jpeg else camera.topic
    parent, _, _ = base.rpartition("/")
    jpeg_topic = camera.topic if only_jpeg else f"{base}/compressed"
    return CameraTopics(
        name,
        f"{name}_optical_frame",
        None if only_jpeg else node.create_publisher(Image, base, reliable(1)),
        node.create_publisher(CompressedImage, jpeg_topic, reliable(1))
        if only_jpeg or compressed
        else None,
        node.create_publisher(CameraInfo, f"{parent}/camera_info".lstrip("/"), reliable(1)),
    )


def _gripper_publisher(node: Node, arm: Arm) -> Any:
    if arm.gripper is None:
        return None
    kind = JointState if arm.gripper.state_type == "joint_state" else Float64
    return node.create_publisher(kind, arm.gripper.state, reliable(5))


def _gripper_message(arm: Arm, value: float, stamp: Any) -> Any:
    gripper = arm.gripper
    if gripper is None or gripper.state_type == "float64":
        return Float64(data=value)
    message = JointState(name=[gripper.state_joint or ""], position=[value])
    message.header.stamp = stamp
    return message
