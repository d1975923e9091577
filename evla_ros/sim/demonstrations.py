# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scripted demonstrations as bags, in lock-step and without ROS: many times faster than real time.

The bags have the topics, types, rates and metadata that the recorder node writes from the graph;
the same seed gives the same messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evla_ros.data.bags import encode
from evla_ros.data.bags.definitions import definition_of
from evla_ros.data.bags.metadata import custom_data, read_metadata
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.recording.episode_report import EpisodeReport
from evla_ros.data.recording.episode_store import EpisodeStore
from evla_ros.data.recording.recorder import Recorder
from evla_ros.data.recording.settings import RecorderSettings
from evla_ros.data.recording.topics import TopicSpec
from evla_ros.embodiment import Arm
from evla_ros.errors import EvlaError
from evla_ros.sim.experts.rollout import noisy
from evla_ros.sim.experts.style import Style
from evla_ros.sim.world import STEPS_PER_SERVO, World

SECOND = 1_000_000_000
EPOCH_S, APART_S = 1_700_000_000, 60  # recordings lie a minute apart, so no two stamps meet
MOST_SEEDS = (2**31 - EPOCH_S) // APART_S  # a message's stamp counts seconds in 32 bits
REACTION_NS = 2_000_000  # from an observation to the goal that answers it
JPEG_QUALITY = 90
AFTER_SUCCESS = 5


@dataclass(frozen=True)
class DemonstrationPlan:
    """What to record. task: family, instruction or empty (drawn by the seed). noise: DART's."""

    output: Path
    task: str = ""
    noise: float = 0.0
    max_ticks: int = 150
    operator: str = "scripted expert"


class _Topic(NamedTuple):
    number: int
    type: str


def _start_ns(seed: int) -> int:
    if not 0 <= seed < MOST_SEEDS:
        raise EvlaError(f"seed {seed} cannot be recorded; seeds are 0 to {MOST_SEEDS - 1}")
    return (EPOCH_S + seed * APART_S) * SECOND


class LockstepRecorder:
    """Records one episode after the other from one world."""

    def __init__(self, world: World, plan: DemonstrationPlan) -> None:
        self._world, self._plan = world, plan
        settings = RecorderSettings(
            preroll_s=0.0, require_preflight=False, operator=plan.operator, distro="jazzy"
        )
        self._recorder = Recorder(world.embodiment, plan.output, settings)
        self._topics: dict[str, _Topic] = {}
        self._declare()

    def record(self, seed: int) -> EpisodeReport:
        """Record the demonstration of a seed; the outcome is what the simulator saw."""
        world, plan = self._world, self._plan
        task = world.reset(seed, plan.task or None)
        random = np.random.default_rng(seed)
        style = Style.sample(random, plan.noise)
        expert = world.suite.expert(world, task, style)
        start_ns = _start_ns(seed)
        words = encode.encode_string(task.instruction)
        self._send(world.embodiment.instruction.topic, words, start_ns)
        self._recorder.start(start_ns, episode_name(seed))
        self._send_state(start_ns)
        solved = 0
        for _ in range(plan.max_ticks):
            self._send_cameras(start_ns + world.time_ns)
            world.apply(noisy(expert.act(), style, random))
            self._advance(start_ns)
            solved = solved + 1 if world.succeeded(task) else 0
            if solved >= AFTER_SUCCESS:
                break
        end_ns = start_ns + world.time_ns
        self._send_cameras(end_ns)
        self._recorder.mark("success" if solved else "failure", end_ns)
        return self._recorder.keep(end_ns)

    def _advance(self, start_ns: int) -> None:
        """One tick of the embodiment's rate, with goals and states at the servo's."""
        world = self._world
        servo_s = STEPS_PER_SERVO * world.model.opt.timestep
        for _ in range(max(1, round(1.0 / (world.embodiment.rate_hz * servo_s)))):
            self._send_goals(start_ns + world.time_ns + REACTION_NS)
            world.step(servo_s)
            self._send_state(start_ns + world.time_ns)

    def _declare(self) -> None:
        body = self._world.embodiment
        for camera in body.cameras.values():
            kind = "Image" if camera.transport == "raw" else "CompressedImage"
            self._add(camera.topic, f"sensor_msgs/msg/{kind}")
        for arm in body.arms:
            if arm.pose.topic is not None:
                self._add(arm.pose.topic, "geometry_msgs/msg/PoseStamped")
            self._add(arm.goal.topic, "geometry_msgs/msg/PoseStamped")
            if arm.gripper is not None:
                joint = arm.gripper.state_type == "joint_state"
                kind = "sensor_msgs/msg/JointState" if joint else "std_msgs/msg/Float64"
                self._add(arm.gripper.state, kind)
                array = arm.gripper.command_type == "float64_array"
                self._add(arm.gripper.command, f"std_msgs/msg/Float64{'MultiArray' * array}")
        self._add(body.joint_states, "sensor_msgs/msg/JointState")
        self._add(body.instruction.topic, "std_msgs/msg/String", latched=True)

    def _add(self, name: str, message_type: str, *, latched: bool = False) -> None:
        qos = offered_qos(latched=latched)
        definition = definition_of(message_type)
        spec = TopicSpec(f"/{name.lstrip('/')}", message_type, definition, qos, latched=latched)
        self._topics[name] = _Topic(self._recorder.add_topic(spec), message_type)

    def _send(self, name: str, data: bytes, stamp_ns: int) -> None:
        self._recorder.on_message(self._topics[name].number, data, stamp_ns)

    def _send_cameras(self, stamp_ns: int) -> None:
        for name, image in self._world.images().items():
            camera = self._world.embodiment.cameras[name]
            self._send(camera.topic, _picture(stamp_ns, name, image, camera.transport), stamp_ns)

    def _send_goals(self, stamp_ns: int) -> None:
        frame = self._world.embodiment.base_frame
        for arm, described in zip(self._world.arms, self._world.embodiment.arms, strict=True):
            self._send(
                described.goal.topic, encode.encode_pose(stamp_ns, frame, arm.goal), stamp_ns
            )
            if described.gripper is not None:
                value = described.gripper.device_value(arm.grip_goal)
                array = described.gripper.command_type == "float64_array"
                one = encode.encode_float64_array([value]) if array else None
                data = encode.encode_float64(value) if one is None else one
                self._send(described.gripper.command, data, stamp_ns)

    def _send_state(self, stamp_ns: int) -> None:
        world, body = self._world, self._world.embodiment
        names: list[str] = []
        positions: list[float] = []
        for arm, described in zip(world.arms, body.arms, strict=True):
            if described.pose.topic is not None:
                pose = encode.encode_pose(stamp_ns, body.base_frame, arm.pose(world.data))
                self._send(described.pose.topic, pose, stamp_ns)
            if described.gripper is not None:
                data = _gripper_state(described, arm.opening(world.data), stamp_ns)
                self._send(described.gripper.state, data, stamp_ns)
            angles = world.data.qpos[arm.qpos].tolist()
            names += described.joints or [f"{arm.name}_joint{i + 1}" for i in range(len(angles))]
            positions += angles
        joints = encode.encode_joint_state(stamp_ns, names, positions)
        self._send(body.joint_states, joints, stamp_ns)


def episode_name(seed: int) -> str:
    """Return the bag folder's name of a seed."""
    return f"seed_{seed:06d}"


def is_recorded(output: Path, seed: int) -> bool:
    """Return whether a seed's bag is finished; an unfinished one goes to the trash."""
    folder = output / episode_name(seed)
    if not folder.exists():
        return False
    if custom_data(read_metadata(folder)).get("state") == "finished":
        return True
    store = EpisodeStore(output)
    folder = folder.rename(store.new_folder(folder.stat().st_mtime_ns))
    store.discard(folder)
    return False


def offered_qos(*, latched: bool) -> str:
    """Return the quality of service of the simulator's publishers as rosbag2 writes it."""
    return "\n".join(
        [
            "- history: 1",
            "  depth: 1",
            "  reliability: 1",
            f"  durability: {1 if latched else 2}",
            *(f"  {name}:\n    sec: 0\n    nsec: 0" for name in ("deadline", "lifespan")),
            "  liveliness: 1",
            "  liveliness_lease_duration:\n    sec: 0\n    nsec: 0",
            "  avoid_ros_namespace_conventions: false",
        ]
    )


def _picture(stamp_ns: int, name: str, image: npt.NDArray[np.uint8], transport: str) -> bytes:
    frame = f"{name}_optical_frame"
    if transport == "raw":
        return encode.encode_image(stamp_ns, frame, image)
    return encode.encode_compressed_image(stamp_ns, frame, encode_jpeg(image, JPEG_QUALITY))


def _gripper_state(arm: Arm, opening: float, stamp_ns: int) -> bytes:
    gripper = arm.gripper
    assert gripper is not None  # noqa: S101 - the caller asked
    value = gripper.device_value(opening)
    if gripper.state_type == "float64":
        return encode.encode_float64(value)
    return encode.encode_joint_state(stamp_ns, [gripper.state_joint or ""], [value])
