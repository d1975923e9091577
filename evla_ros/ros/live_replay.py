# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shows dataset frames to the real policy node over DDS, and takes the chunks that it answers.

The node runs in a namespace and on a clock of its own with `shadow: true`: no goal leaves it.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.bags import encode
from evla_ros.embodiment import Arm, Embodiment
from evla_ros.errors import EvlaError
from evla_ros.geometry.pose import Pose
from evla_ros.msg import ActionChunk
from evla_ros.ros.evaluation_client import EvaluationClient
from evla_ros.ros.evaluation_processes import NodeProcess
from evla_ros.ros.pose_conversion import nanoseconds, time_message
from evla_ros.ros.qos import latched, reliable
from evla_ros.ros.recorder_topics import message_class

TICK_NS = 10_000_000
SETTLE_TICKS = 20
ANSWER_TICKS = 25  # within the age that cameras may have
ATTEMPTS = 4
LOAD_LIMIT_S = 180.0


@dataclass(frozen=True, eq=False)
class Frame:
    """One moment of a robot.

    poses, openings: by arm; joints: by name. pictures: camera -> uint8 [H, W, 3], or JPEG bytes
    where the camera sends compressed pictures.
    """

    poses: Mapping[str, Pose]
    openings: Mapping[str, float]
    joints: Mapping[str, float]
    pictures: Mapping[str, npt.NDArray[np.uint8] | bytes]
    instruction: str


class LiveReplay(EvaluationClient):
    """The robot of one policy node: publishes frames, collects chunks by their stamp."""

    def __init__(self, namespace: str, embodiment: Embodiment, check: Callable[[], None]) -> None:
        """check: raises when the node has ended."""
        self.chunks: dict[int, ActionChunk] = {}
        super().__init__(namespace, embodiment, check)
        self._embodiment, self._now_ns = embodiment, 100_000_000_000
        self._publishers: dict[str, Any] = {}
        self._said = ""
        for topic, kind in _topics(embodiment).items():
            profile = latched() if kind == "std_msgs/msg/String" else reliable(20)
            publisher = self._node.create_publisher(message_class(kind), topic, profile)
            self._publishers[topic] = publisher
        clock = message_class("rosgraph_msgs/msg/Clock")
        self._clock, self._clock_type = self._node.create_publisher(clock, "clock", 20), clock

    def ask(self, frame: Frame, limit_s: float = 20.0) -> npt.NDArray[np.float64]:
        """Return the node's chunk [K, D] for a frame; EvlaError with its reason when none comes."""
        for _ in range(ATTEMPTS):
            chunk = self._ask_once(frame, limit_s / ATTEMPTS)
            if chunk is not None:
                rows = np.asarray(chunk.actions, dtype=np.float64)
                return rows.reshape(chunk.chunk_length, chunk.action_dim)
        reason = self.policy.reason_text if self.policy is not None else "it says nothing"
        raise EvlaError(f"the policy node gives no chunk for a frame: {reason}")

    def _ask_once(self, frame: Frame, limit_s: float) -> ActionChunk | None:
        if frame.instruction != self._said:
            self._send(self._embodiment.instruction.topic, encode.encode_string(frame.instruction))
            self._said = frame.instruction
        for _ in range(SETTLE_TICKS):
            self._tick(frame, 0.01)
        stamp_ns = self._now_ns
        self._show(frame, stamp_ns)
        end = time.monotonic() + limit_s
        for tick in range(10**6):
            found = self.chunks.get(stamp_ns)
            if found is not None and found.instruction == frame.instruction:
                return found
            if time.monotonic() > end:
                return None
            if tick % 5 == 4 and (self.policy is None or not self.policy.started):
                self.start()  # refused until everything has arrived; asked again then
            self._check()
            self._executor.spin_once(timeout_sec=0.01)
            if tick < ANSWER_TICKS:
                self._tick(frame, 0.01)
        return None

    def _tick(self, frame: Frame, pause_s: float) -> None:
        self._now_ns += TICK_NS
        self._clock.publish(self._clock_type(clock=time_message(self._now_ns)))
        for topic, data in _state(self._embodiment, frame, self._now_ns):
            self._send(topic, data)
        self._executor.spin_once(timeout_sec=0.0)
        time.sleep(pause_s)

    def _show(self, frame: Frame, stamp_ns: int) -> None:
        """Publish the pictures, `primary` last: it is the one that an inference starts with."""
        for name in sorted(frame.pictures, key=lambda camera: camera == "primary"):
            picture, camera = frame.pictures[name], self._embodiment.cameras[name]
            place = f"{name}_optical_frame"
            if isinstance(picture, bytes):
                data = encode.encode_compressed_image(stamp_ns, place, picture)
            else:
                data = encode.encode_image(stamp_ns, place, picture)
            self._send(camera.topic, data)

    def _send(self, topic: str, data: bytes) -> None:
        self._publishers[topic].publish(data)

    def _on_chunk(self, message: ActionChunk) -> None:
        super()._on_chunk(message)
        self.chunks[nanoseconds(message.header.stamp)] = message


@contextmanager
def live_policy(checkpoint: Path, embodiment: Embodiment, device: str) -> Iterator[LiveReplay]:
    """Run a policy node with a checkpoint and be its robot."""
    with tempfile.TemporaryDirectory(prefix="evla_live_") as name:
        folder, namespace = Path(name), f"/evla_live_{os.getpid()}"
        robot = folder / "embodiment.yaml"
        robot.write_text(embodiment.text, encoding="utf-8")
        parameters = {
            "policy": "evla", "checkpoint": checkpoint, "device": device, "embodiment": robot,
            "use_sim_time": True, "autostart": True, "shadow": True, "inference_threads": 1,
            "replan_time_left_s": 10.0,
        }  # fmt: skip
        node = NodeProcess("evla_ros.ros.policy_main", namespace, parameters, folder / "node.log")
        try:
            replay = LiveReplay(namespace, embodiment, node.check)
            try:
                replay.wait(lambda: replay.policy is not None, LOAD_LIMIT_S, "the policy node")
                yield replay
            finally:
                replay.close()
        finally:
            node.end()


def _topics(embodiment: Embodiment) -> dict[str, str]:
    topics = {embodiment.instruction.topic: "std_msgs/msg/String"}
    for camera in embodiment.cameras.values():
        kind = "Image" if camera.transport == "raw" else "CompressedImage"
        topics[camera.topic] = f"sensor_msgs/msg/{kind}"
    for arm in embodiment.arms:
        topics[_pose_topic(arm)] = "geometry_msgs/msg/PoseStamped"
        if arm.gripper is not None:
            joint = arm.gripper.state_type == "joint_state"
            kind = "sensor_msgs/msg/JointState" if joint else "std_msgs/msg/Float64"
            topics[arm.gripper.state] = kind
    if "joint_positions" in embodiment.proprio:
        topics[embodiment.joint_states] = "sensor_msgs/msg/JointState"
    return topics


def _pose_topic(arm: Arm) -> str:
    if arm.pose.topic is None:
        raise EvlaError(f"frames of arm {arm.name!r} cannot be replayed: its pose comes by tf")
    return arm.pose.topic


def _state(embodiment: Embodiment, frame: Frame, now_ns: int) -> Iterator[tuple[str, bytes]]:
    base = embodiment.base_frame
    for arm in embodiment.arms:
        yield _pose_topic(arm), encode.encode_pose(now_ns, base, frame.poses[arm.name])
        gripper = arm.gripper
        if gripper is None:
            continue
        value = gripper.device_value(frame.openings[arm.name])
        if gripper.state_type == "float64":
            yield gripper.state, encode.encode_float64(value)
        else:
            names = [gripper.state_joint or ""]
            yield gripper.state, encode.encode_joint_state(now_ns, names, [value])
    if "joint_positions" in embodiment.proprio:
        names = list(frame.joints)
        values = [frame.joints[name] for name in names]
        yield embodiment.joint_states, encode.encode_joint_state(now_ns, names, values)
