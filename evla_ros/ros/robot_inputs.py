# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""All subscriptions of the policy node, feeding the control core under its lock."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.node import Node
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, String

from evla_ros.control.watchdog import Stream
from evla_ros.data.alignment.stream_buffer import Sample, StreamBuffer
from evla_ros.geometry import Pose
from evla_ros.ros.arm_input import GripperState, pose_input
from evla_ros.ros.camera_input import CameraInput, RawImage
from evla_ros.ros.qos import every_sample, latched, reliable
from evla_ros.ros.shared_core import SharedCore

_KEEP_NS = 5_000_000_000


class RobotInputs:
    """Created on configure, destroyed on cleanup."""

    def __init__(
        self,
        node: Node,
        core: SharedCore,
        on_image: Callable[[str], None],
        on_state: Callable[[], None],
        on_urgent: Callable[[], None],
        *,
        use_header: bool,
        teleop_topic: str,
    ) -> None:
        """Subscribe to everything that the embodiment names.

        on_image(camera): an image arrived; on_state(): a pose or a gripper state did; on_urgent():
        something that may stop the robot did.
        """
        embodiment, controller = core.embodiment, core.controller
        self._node, self._controller = node, controller
        self._lock, self._now_ns = core.lock, core.now_ns
        self._on_image, self._on_state, self._on_urgent = on_image, on_state, on_urgent
        self.openings = [StreamBuffer() for _ in embodiment.arms]
        self.joints: dict[str, float] = {}
        self._parts = []
        for index, arm in enumerate(embodiment.arms):
            stream = controller.inputs.poses[index]
            self._parts.append(
                pose_input(
                    node, arm, embodiment.base_frame, self._pose_taker(index), self._flag(stream)
                )
            )
            gripper = controller.inputs.grippers[index]
            if arm.gripper is not None and gripper is not None:
                taker = self._opening_taker(index, gripper)
                self._parts.append(GripperState(node, arm.gripper, taker, self._flag(gripper)))
        # Of what is ready at once, the executor takes the oldest subscription's first: images last.
        self.cameras = {
            name: CameraInput(node, name, camera, self._note_image, use_header=use_header)
            for name, camera in embodiment.cameras.items()
        }
        self._plain = [
            node.create_subscription(
                String, embodiment.instruction.topic, self._note_instruction, latched()
            ),
            node.create_subscription(Bool, embodiment.estop.topic, self._note_estop, reliable()),
        ]
        if teleop_topic:
            self._plain.append(
                node.create_subscription(Bool, teleop_topic, self._note_teleop, reliable())
            )
        if "joint_positions" in embodiment.proprio:
            self._plain.append(
                node.create_subscription(
                    JointState, embodiment.joint_states, self._note_joints, every_sample()
                )
            )

    def images(self) -> dict[str, RawImage]:
        """Return the newest image of every camera that has one."""
        return {name: c.latest for name, c in self.cameras.items() if c.latest is not None}

    def watch_conflicts(self) -> None:
        """Tell the core which camera topics have two publishers; the caller holds the lock."""
        now_ns = self._now_ns()
        for name, camera in self.cameras.items():
            self._controller.inputs.cameras[name].conflict = camera.conflict(now_ns)

    def set_urgent(self, on_urgent: Callable[[], None]) -> None:
        """Call this from now on when something that may stop the robot arrives."""
        self._on_urgent = on_urgent

    def lost(self) -> dict[str, int]:
        """Return the images per camera stream that the middleware numbered and we never saw."""
        return {f"camera {name}": camera.lost for name, camera in self.cameras.items()}

    def clear(self) -> None:
        """Forget every sample; after a clock jump their times mean nothing."""
        for camera in self.cameras.values():
            camera.clear()
        self.openings = [StreamBuffer() for _ in self.openings]

    def destroy(self) -> None:
        """Unsubscribe."""
        for part in [*self.cameras.values(), *self._parts]:
            part.destroy()
        for subscription in self._plain:
            self._node.destroy_subscription(subscription)

    def _note_image(self, name: str, image: RawImage) -> None:
        with self._lock:
            self._controller.inputs.cameras[name].note(image.stamp_ns, image.received_ns)
        self._on_image(name)

    def _pose_taker(self, index: int) -> Callable[[int, Pose], None]:
        stream = self._controller.inputs.poses[index]
        channel = self._controller.arms[index]

        def take(stamp_ns: int, pose: Pose) -> None:
            now_ns = self._now_ns()
            with self._lock:
                if channel.note_pose(stamp_ns or now_ns, pose):
                    stream.note(stamp_ns or now_ns, now_ns)
            self._on_state()

        return take

    def _opening_taker(self, index: int, stream: Stream) -> Callable[[int, float], None]:
        def take(stamp_ns: int, opening: float) -> None:
            now_ns = self._now_ns()
            with self._lock:
                self.openings[index].push(Sample(stamp_ns or now_ns, now_ns, opening))
                self.openings[index].forget_before(now_ns - _KEEP_NS)
                stream.note(stamp_ns or now_ns, now_ns)
            self._on_state()

        return take

    def _flag(self, stream: Stream) -> Callable[[str], None]:
        def flag(problem: str) -> None:
            with self._lock:
                stream.invalid = problem

        return flag

    def _note_instruction(self, message: String) -> None:
        with self._lock:
            self._controller.set_instruction(message.data.strip())

    def _note_estop(self, message: Bool) -> None:
        with self._lock:
            self._controller.inputs.set_estop(bool(message.data))
        self._on_urgent()

    def _note_teleop(self, message: Bool) -> None:
        with self._lock:
            self._controller.inputs.teleop = bool(message.data)
        self._on_urgent()

    def _note_joints(self, message: JointState) -> None:
        with self._lock:
            self.joints.update(zip(message.name, message.position, strict=False))
