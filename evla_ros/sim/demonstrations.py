# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Scripted demonstrations as bags, in lock-step and without ROS: many times faster than real time.

The bags have the topics, types, rates and metadata that the recorder node writes from the graph;
the same seed gives the same messages.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evla_ros.data.bags import encode
from evla_ros.data.bags.definitions import definition_of
from evla_ros.data.bags.metadata import custom_data, read_metadata
from evla_ros.data.codecs.axis import axes_to_cdr
from evla_ros.data.codecs.base import odometry_to_cdr, velocity_to_cdr
from evla_ros.data.codecs.camera import picture_to_cdr
from evla_ros.data.codecs.goal import way_to_cdr
from evla_ros.data.codecs.gripper import gripper_to_cdr
from evla_ros.data.recording.episode_report import EpisodeReport
from evla_ros.data.recording.episode_store import EpisodeStore
from evla_ros.data.recording.recorder import Recorder
from evla_ros.data.recording.settings import RecorderSettings
from evla_ros.data.recording.topics import TopicSpec
from evla_ros.embodiment.streams import (
    JOINT_STATE,
    POSE_STAMPED,
    TF_MESSAGE,
    Kind,
    Stream,
    by_topic,
    streams_of,
)
from evla_ros.errors import EvlaError
from evla_ros.geometry import Pose, TimedPose
from evla_ros.sim.experts.rollout import noisy
from evla_ros.sim.experts.style import Style
from evla_ros.sim.simulation import STEPS_PER_SERVO
from evla_ros.sim.world import World
from evla_ros.units import SECOND_NS

EPOCH_S, APART_S = 1_700_000_000, 60  # recordings lie a minute apart, so no two stamps meet
MOST_SEEDS = (2**31 - EPOCH_S) // APART_S  # a message's stamp counts seconds in 32 bits
REACTION_NS = 2_000_000  # from an observation to the goal that answers it
JPEG_QUALITY = 90
AFTER_SUCCESS = 5
ODOM_FRAME = "odom"
_AXIS_S = 0.04  # within which a trajectory gets to its goal


@dataclass(frozen=True)
class DemonstrationPlan:
    """What is recorded.

    Attributes:
        output: folder of the bags.
        task: a task family or an instruction; empty: drawn by the seed.
        noise: standard deviation of noise on the expert's steps, as a fraction of a step (DART).
        max_ticks: ticks after which an episode is given up.
        operator: goes into the metadata of every bag.
    """

    output: Path
    task: str = ""
    noise: float = 0.0
    max_ticks: int | None = None
    operator: str = "scripted expert"


def _start_ns(seed: int) -> int:
    if not 0 <= seed < MOST_SEEDS:
        raise EvlaError(f"seed {seed} cannot be recorded; seeds are 0 to {MOST_SEEDS - 1}")
    return (EPOCH_S + seed * APART_S) * SECOND_NS


class LockstepRecorder:
    """Records one episode after the other from one world."""

    def __init__(self, world: World, plan: DemonstrationPlan) -> None:
        self._world, self._plan = world, plan
        settings = RecorderSettings(
            preroll_s=0.0, require_preflight=False, operator=plan.operator, distro="jazzy"
        )
        self._recorder = Recorder(world.embodiment, plan.output, settings)
        self._streams = streams_of(world.embodiment)
        self._numbers: dict[str, int] = {}  # by topic, of the recorder
        self._declare()

    def record(self, seed: int) -> EpisodeReport:
        """Record the demonstration of a seed; the outcome is what the simulator saw."""
        world, plan = self._world, self._plan
        task = world.reset(seed, plan.task or None)
        random = np.random.default_rng(seed)
        style = Style.sample(random, plan.noise)
        expert = world.suite.expert(world, task, style)
        start_ns = _start_ns(seed)
        instruction = encode.encode_string(task.instruction)
        self._send(self._streams.get(Kind.INSTRUCTION), instruction, start_ns)
        self._recorder.start(start_ns, episode_name(seed))
        self._send_state(start_ns)
        solved = 0
        for _ in range(world.most_ticks if plan.max_ticks is None else plan.max_ticks):
            self._send_cameras(start_ns + world.time_ns)
            world.apply(noisy(expert.act(), style, random, world.columns))
            self._advance(start_ns)
            solved = solved + 1 if world.succeeded(task) else 0
            if solved >= AFTER_SUCCESS:
                break
        end_ns = start_ns + world.time_ns
        self._send_cameras(end_ns)
        self._recorder.mark("success" if solved else "failure", end_ns)
        return self._recorder.keep(end_ns)

    def _advance(self, start_ns: int) -> None:
        """Advance by one tick of the embodiment's rate; goals and states at the servo's."""
        world = self._world
        servo_s = STEPS_PER_SERVO * world.model.opt.timestep
        for _ in range(max(1, round(1.0 / (world.embodiment.rate_hz * servo_s)))):
            self._send_goals(start_ns + world.time_ns + REACTION_NS)
            world.step(servo_s)
            self._send_state(start_ns + world.time_ns)

    def _declare(self) -> None:
        for topic, (stream, *_) in self._streams.by_topic().items():
            sent = stream.key.kind not in (Kind.ESTOP, Kind.EXTRA)
            if sent and stream.type != TF_MESSAGE:
                latched = stream.delivery.latched
                definition, qos = definition_of(stream.type), offered_qos(latched=latched)
                name = f"/{topic.lstrip('/')}"
                spec = TopicSpec(name, stream.type, definition, qos, latched=latched)
                self._numbers[topic] = self._recorder.add_topic(spec)

    def _send(self, stream: Stream, data: bytes, stamp_ns: int) -> None:
        self._recorder.on_message(self._numbers[stream.topic], data, stamp_ns)

    def _send_cameras(self, stamp_ns: int) -> None:
        for name, image in self._world.images().items():
            stream, frame = self._streams.get(Kind.CAMERA, name), f"{name}_optical_frame"
            data = picture_to_cdr(stream.type, stamp_ns, frame, image, JPEG_QUALITY)
            self._send(stream, data, stamp_ns)

    def _send_goals(self, stamp_ns: int) -> None:
        frame = self._world.embodiment.base_frame
        for arm, described in zip(self._world.arms, self._world.embodiment.arms, strict=True):
            goal = self._streams.get(Kind.GOAL, described.name)
            self._send(goal, self._goal_data(goal, stamp_ns, frame, arm.goal), stamp_ns)
            command = self._streams.find(Kind.GRIPPER_COMMAND, described.name)
            if described.gripper is not None and command is not None:
                value = described.gripper.device_value(arm.grip_goal)
                self._send(command, gripper_to_cdr(command, stamp_ns, value), stamp_ns)

        self._send_moving_goals(stamp_ns)

    def _goal_data(self, goal: Stream, stamp_ns: int, frame: str, pose: Pose) -> bytes:
        if goal.type == POSE_STAMPED:
            return encode.encode_pose(stamp_ns, frame, pose)
        tick_ns = round(1e9 / self._world.embodiment.rate_hz)
        return way_to_cdr(0, frame, (TimedPose(tick_ns, pose),))

    def _send_moving_goals(self, stamp_ns: int) -> None:
        world, body = self._world, self._world.embodiment
        if world.base is not None and body.base is not None:
            command = self._streams.get(Kind.BASE_COMMAND)
            data = velocity_to_cdr(command, stamp_ns, body.base.frame, world.base.goal)
            self._send(command, data, stamp_ns)
        goals = {axis.name: axis.goal for axis in world.axes}
        for group in by_topic(self._streams.of_kind(Kind.AXIS_COMMAND)).values():
            positions = [goals[stream.key.name] for stream in group]
            self._send(group[0], axes_to_cdr(group, stamp_ns, positions, _AXIS_S), stamp_ns)

    def _send_state(self, stamp_ns: int) -> None:
        world, body = self._world, self._world.embodiment
        names: list[str] = []
        positions: list[float] = []
        for arm, described in zip(world.arms, body.arms, strict=True):
            pose = self._streams.get(Kind.POSE, described.name)
            if pose.type == POSE_STAMPED:
                data = encode.encode_pose(stamp_ns, body.base_frame, arm.pose(world.data))
                self._send(pose, data, stamp_ns)
            if described.gripper is not None:
                state = self._streams.get(Kind.GRIPPER, described.name)
                value = described.gripper.state_value(arm.opening(world.data))
                self._send(state, gripper_to_cdr(state, stamp_ns, value), stamp_ns)
            angles = world.data.qpos[arm.qpos].tolist()
            names += described.joints or [f"{arm.name}_joint{i + 1}" for i in range(len(angles))]
            positions += angles
        self._send_moving_state(stamp_ns)
        names += [axis.joint for axis in world.axes]
        positions += [axis.position(world.data) for axis in world.axes]
        joints = encode.encode_joint_state(stamp_ns, names, positions)
        self._send(self._streams.get(Kind.JOINTS), joints, stamp_ns)

    def _send_moving_state(self, stamp_ns: int) -> None:
        world, body = self._world, self._world.embodiment
        if world.base is not None and body.base is not None:
            pose, velocity = world.base.pose(world.data), world.base.velocity(world.data)
            data = odometry_to_cdr(stamp_ns, (ODOM_FRAME, body.base.frame), pose, velocity)
            self._send(self._streams.get(Kind.ODOMETRY), data, stamp_ns)
        for axis in world.axes:
            state = self._streams.get(Kind.AXIS, axis.name)
            if state.type != JOINT_STATE:
                data = axes_to_cdr([state], stamp_ns, [axis.position(world.data)])
                self._send(state, data, stamp_ns)


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
