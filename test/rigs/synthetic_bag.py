# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write bags of an invented robot with real messages: what benchmarks measure and tests convert."""

from __future__ import annotations

import functools
import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from evla_ros.data.bags import encode
from evla_ros.data.bags.definitions import definition_of
from evla_ros.data.bags.writer import McapBagWriter
from evla_ros.data.codecs.axis import axes_to_cdr
from evla_ros.data.codecs.base import odometry_to_cdr, velocity_to_cdr
from evla_ros.data.codecs.camera import picture_to_cdr
from evla_ros.data.codecs.gripper import gripper_to_cdr
from evla_ros.embodiment import Axis, Embodiment
from evla_ros.embodiment.streams import TF_MESSAGE, Kind, Stream, by_topic, streams_of
from evla_ros.geometry.pose import Pose

SECOND = 1_000_000_000


@dataclass(frozen=True)
class SyntheticRobot:
    """What the invented recording looks like; pictures have sensor noise, so they do not compress.

    start_ns: time of the first message. lag_s: how far the arm follows behind its goal. latency_s:
    receive time minus stamp.
    """

    embodiment: Embodiment
    seconds: float = 4.0
    seed: int = 0
    camera_size: tuple[int, int] = (48, 64)
    camera_hz: float = 30.0
    pose_hz: float = 50.0
    start_ns: int = 1_700_000_000 * SECOND
    lag_s: float = 0.05
    latency_s: float = 0.01
    instruction: str = "pick up the red cube"
    outcome: str = "success"


class Event(NamedTuple):
    """One message to write."""

    stamp_ns: int
    topic: str
    type: str
    data: bytes


def arm_pose(seed: int, arm: int, time_s: float) -> Pose:
    """Return where an arm is on its smooth path, turning all the time."""
    phase = 0.7 * arm + 0.3 * seed
    wave = np.sin(np.array([1.1, 0.9, 1.3]) * time_s + phase)
    position = np.array([0.45, 0.1 - 0.2 * arm, 0.3]) + 0.08 * wave
    return Pose.from_xyz_rpy(position, [np.pi, 0.3 * wave[0], 0.5 * wave[1] + arm])


def gripper_opening(time_s: float, seconds: float) -> float:
    """Return 1 (open), and 0 in the middle third."""
    return 0.0 if seconds / 3 <= time_s < 2 * seconds / 3 else 1.0


def picture(
    random: np.random.Generator, size: tuple[int, int], time_s: float
) -> npt.NDArray[np.uint8]:
    """Return a moving gradient with sensor noise, uint8 [H, W, 3]."""
    height, width = size
    across, down = np.arange(width)[None, :], np.arange(height)[:, None]
    ramp = ((across + down + round(60 * time_s)) % 200 + 20).astype(np.uint8)
    noise = np.roll(_noise(size), int(random.integers(height * width)) * 3)
    return np.asarray(noise + ramp[:, :, None], dtype=np.uint8)


@functools.lru_cache(maxsize=4)
def _noise(size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 24, (*size, 3), dtype=np.uint8)


def robot_events(robot: SyntheticRobot) -> Iterator[Event]:
    """Yield the recording's messages in order of their stamps."""
    body = robot.embodiment
    rates = (("arms", robot.pose_hz), ("camera", robot.camera_hz))
    events = [
        (round(index * SECOND / rate), order, kind)
        for order, (kind, rate) in enumerate(rates)
        for index in range(int(robot.seconds * rate))
    ]
    random = np.random.default_rng(robot.seed)
    text = encode.encode_string(robot.instruction)
    yield _event(robot.start_ns, streams_of(body).get(Kind.INSTRUCTION), text)
    for offset, _, kind in sorted(events):
        time_s = offset / SECOND
        stamp = robot.start_ns + offset
        if kind == "camera":
            yield from _camera_events(robot, stamp, time_s, random)
        else:
            yield from _arm_events(robot, stamp, time_s)
            yield from _moving_events(robot, stamp, time_s)


def _camera_events(
    robot: SyntheticRobot, stamp: int, time_s: float, random: np.random.Generator
) -> Iterator[Event]:
    for camera in streams_of(robot.embodiment).of_kind(Kind.CAMERA):
        rgb = picture(random, robot.camera_size, time_s)
        frame = f"{camera.key.name}_optical"
        yield _event(stamp, camera, picture_to_cdr(camera.type, stamp, frame, rgb))


def _arm_events(robot: SyntheticRobot, stamp: int, time_s: float) -> Iterator[Event]:
    frame, streams = robot.embodiment.base_frame, streams_of(robot.embodiment)
    for index, arm in enumerate(robot.embodiment.arms):
        measured = arm_pose(robot.seed, index, time_s - robot.lag_s)
        pose = streams.get(Kind.POSE, arm.name)
        if pose.type == TF_MESSAGE:
            yield tf_event(pose.topic, stamp, *pose.selector, measured)
        else:
            yield _event(stamp, pose, encode.encode_pose(stamp, frame, measured))
        goal = encode.encode_pose(stamp, frame, arm_pose(robot.seed, index, time_s))
        yield _event(stamp, streams.get(Kind.GOAL, arm.name), goal)
        if arm.gripper is None:
            continue
        asked = gripper_opening(time_s, robot.seconds)
        there = gripper_opening(time_s - 2 * robot.lag_s, robot.seconds)
        for kind, opening in ((Kind.GRIPPER_COMMAND, asked), (Kind.GRIPPER, there)):
            stream = streams.find(kind, arm.name)
            if stream is None:
                continue  # an action's goals are on no topic
            state = kind is Kind.GRIPPER
            value = (arm.gripper.state_value if state else arm.gripper.device_value)(opening)
            data = gripper_to_cdr(stream, stamp, value)
            yield _event(stamp, stream, data)


def base_velocity(time_s: float) -> list[float]:
    """Return vx vy wz of the base on its way, standing in the first half second."""
    t = max(0.0, time_s - 0.5)
    return [0.3 * np.sin(t), 0.1 * np.sin(2.0 * t), 0.4 * np.sin(1.5 * t)]


def base_pose(time_s: float) -> Pose:
    """Return where the base then is, by small steps."""
    x = y = yaw = 0.0
    for step in range(max(0, round(time_s / 0.01))):
        vx, vy, wz = base_velocity(step * 0.01)
        x += 0.01 * (vx * np.cos(yaw) - vy * np.sin(yaw))
        y += 0.01 * (vx * np.sin(yaw) + vy * np.cos(yaw))
        yaw += 0.01 * wz
    return Pose.from_xyz_rpy([x, y, 0.0], [0.0, 0.0, yaw])


def axis_position(axis: Axis, time_s: float) -> float:
    """Return the position of an axis: slow waves in the middle of its range."""
    limits = axis.limits
    middle, reach = 0.5 * (limits.min + limits.max), 0.25 * (limits.max - limits.min)
    return float(middle + reach * np.sin(0.5 * time_s))


def _moving_events(robot: SyntheticRobot, stamp: int, time_s: float) -> Iterator[Event]:
    """Yield odometry, velocity commands, positions and goals of axes."""
    body, streams = robot.embodiment, streams_of(robot.embodiment)
    if body.base is not None:
        odometry, command = streams.get(Kind.ODOMETRY), streams.get(Kind.BASE_COMMAND)
        frames, before_s = ("odom", body.base.frame), time_s - robot.lag_s
        moving = odometry_to_cdr(stamp, frames, base_pose(before_s), base_velocity(before_s))
        yield _event(stamp, odometry, moving)
        asked = velocity_to_cdr(command, stamp, body.base.frame, base_velocity(time_s))
        yield _event(stamp, command, asked)
    states = streams.of_kind(Kind.AXIS)
    positions = [axis_position(axis, time_s - robot.lag_s) for axis in body.axes]
    for group in by_topic(states).values():
        numbers = [positions[states.index(stream)] for stream in group]
        yield _event(stamp, group[0], axes_to_cdr(group, stamp, numbers))
    goals = streams.of_kind(Kind.AXIS_COMMAND)
    for group in by_topic(goals).values():
        numbers = [axis_position(body.axes[goals.index(stream)], time_s) for stream in group]
        yield _event(stamp, group[0], axes_to_cdr(group, stamp, numbers, 0.04))


def tf_event(topic: str, stamp_ns: int, parent: str, child: str, pose: Pose) -> Event:
    """Return a TFMessage with one transform."""
    data = encode.encode_transform(stamp_ns, parent, child, pose)
    return Event(stamp_ns, topic, TF_MESSAGE, data)


def _event(stamp_ns: int, stream: Stream, data: bytes) -> Event:
    return Event(stamp_ns, "/" + stream.topic.lstrip("/"), stream.type, data)


Change = Callable[[Event], "Event | None"]


def unchanged(event: Event) -> Event:
    """Return the event."""
    return event


def write_robot_bag(
    folder: Path,
    robot: SyntheticRobot,
    change: Change = unchanged,
    extra: Iterable[Event] = (),
    **custom: str,
) -> Path:
    """Write the recording as a bag of ours.

    change: maps each event to the one to write, None leaves it out. extra: further events. custom:
    goes into (or replaces) the custom data.
    """
    body = robot.embodiment
    data = {"embodiment": body.text, "embodiment_hash": body.content_hash}
    data |= {"instruction": robot.instruction, "outcome": robot.outcome, **custom}
    latency = round(robot.latency_s * SECOND)
    writer = McapBagWriter(folder, data, "jazzy")
    channels: dict[str, int] = {}
    for event in heapq.merge(robot_events(robot), extra, key=lambda e: e.stamp_ns):
        changed = change(event)
        if changed is None:
            continue
        if changed.topic not in channels:
            definition = definition_of(changed.type)
            channels[changed.topic] = writer.add_topic(changed.topic, changed.type, definition)
        writer.write(channels[changed.topic], changed.data, changed.stamp_ns + latency)
    writer.close(durable=False)
    return folder
