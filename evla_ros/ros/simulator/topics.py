# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the simulated robot publishes, on the topics that the embodiment file names."""

from __future__ import annotations

from typing import Any, NamedTuple

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import String

from evla_ros.data.codecs.gripper import gripper_fields
from evla_ros.embodiment.streams import POSE_STAMPED, Kind, Stream, is_reported, streams_of
from evla_ros.ros.message_types import message_class, new_message
from evla_ros.ros.pose_conversion import pose_stamped, time_message
from evla_ros.ros.qos import latched, reliable
from evla_ros.ros.simulator.camera_names import camera_topics
from evla_ros.ros.simulator.messages import camera_info_message, camera_message, joint_state_message
from evla_ros.ros.simulator.moving_topics import MovingTopics
from evla_ros.sim.world import World


class CameraTopics(NamedTuple):
    """Publishers of one camera: of its images by message type, and of its CameraInfo."""

    name: str
    frame: str
    images: dict[str, Any]
    info: Any

    @property
    def subscribed(self) -> list[str]:
        """The message types of the images that somebody listens to."""
        return [kind for kind, out in self.images.items() if out.get_subscription_count() > 0]


class SimTopics:
    """Publishes the robot's state; only images that somebody subscribes to are rendered."""

    def __init__(self, node: Node, world: World, *, compressed: bool, jpeg_quality: int) -> None:
        """Create the publishers of every camera and arm."""
        self._world, self._jpeg_quality = world, jpeg_quality
        streams = streams_of(world.embodiment)
        self.cameras = [
            _camera_topics(node, stream, compressed=compressed)
            for stream in streams.of_kind(Kind.CAMERA)
        ]
        poses = [s for s in streams.of_kind(Kind.POSE) if s.type == POSE_STAMPED]
        self._poses = {pose.key.name: _publisher(node, pose) for pose in poses}
        self._grippers = {
            state.key.name: (state, _publisher(node, state))
            for state in streams.of_kind(Kind.GRIPPER)
            if not is_reported(state)
        }
        self._joints = _publisher(node, streams.get(Kind.JOINTS))
        self._moving = MovingTopics(node, world)
        instruction = streams.get(Kind.INSTRUCTION)
        self._instruction = node.create_publisher(String, instruction.topic, latched())

    def publish_state(self, stamp_ns: int) -> None:
        """Publish joint states, tool poses, gripper openings, odometry and axes."""
        world, stamp = self._world, time_message(stamp_ns)
        self._moving.publish(stamp_ns)
        self._joints.publish(joint_state_message(world, stamp))
        for arm, spec in zip(world.arms, world.embodiment.arms, strict=True):
            if spec.name in self._poses:
                frame = world.embodiment.base_frame
                pose = pose_stamped(arm.pose(world.data), frame, stamp_ns)
                self._poses[spec.name].publish(pose)
            if spec.name in self._grippers and spec.gripper is not None:
                stream, publisher = self._grippers[spec.name]
                value = spec.gripper.state_value(arm.opening(world.data))
                publisher.publish(new_message(stream.type, gripper_fields(stream, value), stamp_ns))

    def publish_cameras(self, stamp_ns: int) -> None:
        """Render and publish the cameras that somebody listens to, all at one instant."""
        stamp = time_message(stamp_ns)
        for camera in self.cameras:
            if kinds := camera.subscribed:
                image = self._world.images([camera.name])[camera.name]
                for kind in kinds:
                    message = camera_message(kind, image, camera.frame, stamp, self._jpeg_quality)
                    camera.images[kind].publish(message)
            if camera.info.get_subscription_count():
                info = camera_info_message(self._world, camera.name, camera.frame, stamp)
                camera.info.publish(info)

    def publish_instruction(self, instruction: str) -> None:
        """State the task."""
        self._instruction.publish(String(data=instruction))


def _publisher(node: Node, stream: Stream) -> Any:
    return node.create_publisher(message_class(stream.type), stream.topic, reliable(5))


def _camera_topics(node: Node, stream: Stream, *, compressed: bool) -> CameraTopics:
    name, names = stream.key.name, camera_topics(stream, compressed=compressed)
    images = {
        kind: node.create_publisher(message_class(kind), topic, reliable(1))
        for kind, topic in names.images.items()
    }
    info = node.create_publisher(CameraInfo, names.info, reliable(1))
    return CameraTopics(name, f"{name}_optical_frame", images, info)
