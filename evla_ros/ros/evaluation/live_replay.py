# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shows dataset frames to the real policy node over DDS, and takes the chunks that it answers.

The node runs in a namespace and on a clock of its own with `shadow: true`: no goal leaves it.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.bags import encode
from evla_ros.data.codecs.camera import picture_to_cdr
from evla_ros.data.robot_snapshot import RobotSnapshot
from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import Kind, Stream, StreamTable, streams_of
from evla_ros.errors import EvlaError
from evla_ros.msg import ActionChunk
from evla_ros.ros.evaluation.client import EvaluationClient
from evla_ros.ros.evaluation.processes import NodeProcess
from evla_ros.ros.evaluation.state_messages import state_messages
from evla_ros.ros.message_types import message_class
from evla_ros.ros.pose_conversion import nanoseconds, time_message
from evla_ros.ros.qos import latched, reliable

TICK_NS = 10_000_000
SETTLE_TICKS = 20
ANSWER_TICKS = 25  # within the age that cameras may have
ATTEMPTS = 4
LOAD_LIMIT_S = 180.0


class LiveReplay(EvaluationClient):
    """Stands in for the robot of a policy node: publishes frames, takes chunks by their stamp."""

    def __init__(self, namespace: str, embodiment: Embodiment, check: Callable[[], None]) -> None:
        """Join the graph; see `EvaluationClient`."""
        self.chunks: dict[int, ActionChunk] = {}
        super().__init__(namespace, embodiment, check)
        self._embodiment, self._now_ns = embodiment, 100_000_000_000
        self._publishers: dict[str, Any] = {}
        self._said = ""
        self._streams = streams_of(embodiment)
        for stream in _shown(self._streams):
            profile = latched() if stream.delivery.latched else reliable(20)
            kind, topic = message_class(stream.type), stream.topic.lstrip("/")  # in the namespace
            if stream.topic not in self._publishers:
                made = self._node.create_publisher(kind, topic, profile)
                self._publishers[stream.topic] = made
        clock = message_class("rosgraph_msgs/msg/Clock")
        self._clock, self._clock_type = self._node.create_publisher(clock, "clock", 20), clock

    def ask(self, frame: RobotSnapshot, limit_s: float = 20.0) -> npt.NDArray[np.float64]:
        """Return the node's chunk [K, D] for a frame; EvlaError with its reason when none comes."""
        for _ in range(ATTEMPTS):
            chunk = self._ask_once(frame, limit_s / ATTEMPTS)
            if chunk is not None:
                rows = np.asarray(chunk.actions, dtype=np.float64)
                return rows.reshape(chunk.chunk_length, chunk.action_dim)
        reason = self.policy.reason_text if self.policy is not None else "it says nothing"
        raise EvlaError(f"the policy node gives no chunk for a frame: {reason}")

    def _ask_once(self, frame: RobotSnapshot, limit_s: float) -> ActionChunk | None:
        if frame.instruction != self._said:
            instruction = self._streams.get(Kind.INSTRUCTION)
            self._send(instruction.topic, encode.encode_string(frame.instruction))
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

    def _tick(self, frame: RobotSnapshot, pause_s: float) -> None:
        self._now_ns += TICK_NS
        self._clock.publish(self._clock_type(clock=time_message(self._now_ns)))
        for topic, data in state_messages(self._embodiment, frame, self._now_ns):
            self._send(topic, data)
        self._executor.spin_once(timeout_sec=0.0)
        time.sleep(pause_s)

    def _show(self, frame: RobotSnapshot, stamp_ns: int) -> None:
        """Publish the images, that of `primary` last: it starts the inference."""
        for name in sorted(frame.images, key=lambda camera: camera == "primary"):
            image, camera = frame.images[name], self._streams.get(Kind.CAMERA, name)
            data = picture_to_cdr(camera.type, stamp_ns, f"{name}_optical_frame", image)
            self._send(camera.topic, data)

    def _send(self, topic: str, data: bytes) -> None:
        self._publishers[topic].publish(data)

    def _on_chunk(self, message: ActionChunk) -> None:
        super()._on_chunk(message)
        self.chunks[nanoseconds(message.header.stamp)] = message


@contextmanager
def live_policy(
    checkpoint: Path, embodiment: Embodiment, device: str, runtime: str = "torch"
) -> Iterator[LiveReplay]:
    """Run a policy node with a checkpoint and be its robot."""
    with tempfile.TemporaryDirectory(prefix="evla_live_") as name:
        folder, namespace = Path(name), f"/evla_live_{os.getpid()}"
        robot = folder / "embodiment.yaml"
        robot.write_text(embodiment.text, encoding="utf-8")
        parameters = {
            "policy": "evla", "checkpoint": checkpoint, "device": device, "embodiment": robot,
            "runtime": runtime,
            "use_sim_time": True, "autostart": True, "shadow": True, "inference_threads": 1,
            "replan_time_left_s": 10.0,
            # Frames are moments far apart: the arm jumps from one to the next, no goal follows it.
            "pose_confirm_s": 0.05, "pose_jump_margin_m": 1.0, "pose_jump_margin_rad": 3.2,
            "max_tracking_error_m": 1.0, "max_tracking_error_rad": 3.0,
        }  # fmt: skip
        with (
            NodeProcess(
                "policy", namespace, parameters, folder / "node.log", moved=_absolute(embodiment)
            ) as node,
            LiveReplay(namespace, embodiment, node.check) as replay,
        ):
            replay.wait(lambda: replay.policy is not None, LOAD_LIMIT_S, "the policy node")
            yield replay


def ask_live_node(
    checkpoint: Path,
    embodiment: Embodiment,
    moments: Sequence[RobotSnapshot],
    device: str,
    runtime: str = "torch",
) -> npt.NDArray[np.float64]:
    """Return the chunks that a live policy node answers to moments of its robot.

    Args:
        checkpoint: folder of the policy.
        embodiment: the robot.
        moments: N states of the robot, with their images.
        device: device of the network, such as `cpu`.
        runtime: of the node, which computes the network.

    Returns:
        [N, K, D]: for each moment K actions of D numbers, in physical units.

    Raises:
        EvlaError: the node ends, or says why it gives no chunk.
    """
    with live_policy(checkpoint, embodiment, device, runtime) as node:
        return np.stack([node.ask(moment) for moment in moments])


def _shown(streams: StreamTable) -> list[Stream]:
    """Return the streams that a snapshot holds."""
    return [s for s in streams if s.required or s.key.kind is Kind.INSTRUCTION]


def _absolute(embodiment: Embodiment) -> set[str]:
    """Return the topics that would lie outside the replay's namespace, where the robot's may be."""
    return {stream.topic for stream in streams_of(embodiment) if stream.topic.startswith("/")}
