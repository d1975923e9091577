# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A moment of a robot as the messages of its sensors: poses, grippers, joints, odometry, axes."""

from __future__ import annotations

from collections.abc import Iterator

from evla_ros.data.alignment.observation import MovingState
from evla_ros.data.bags import encode
from evla_ros.data.codecs.axis import axes_to_cdr
from evla_ros.data.codecs.base import odometry_to_cdr
from evla_ros.data.codecs.gripper import gripper_to_cdr
from evla_ros.data.robot_snapshot import RobotSnapshot
from evla_ros.embodiment import Embodiment
from evla_ros.embodiment.streams import TF_MESSAGE, Kind, by_topic, streams_of


def state_messages(
    embodiment: Embodiment, frame: RobotSnapshot, now_ns: int
) -> Iterator[tuple[str, bytes]]:
    """Yield topic and bytes of what a robot's sensors, but its cameras, send at one moment."""
    base, streams = embodiment.base_frame, streams_of(embodiment)
    for pose in streams.of_kind(Kind.POSE):
        measured = frame.poses[pose.key.name]
        if pose.type == TF_MESSAGE:
            parent, child = pose.selector
            yield pose.topic, encode.encode_transform(now_ns, parent, child, measured)
        else:
            yield pose.topic, encode.encode_pose(now_ns, base, measured)
    for state in streams.of_kind(Kind.GRIPPER):
        arm = state.key.name
        gripper = embodiment.arm(arm).gripper
        if gripper is not None:
            value = gripper.state_value(frame.openings[arm])
            yield state.topic, gripper_to_cdr(state, now_ns, value)
    joints = streams.get(Kind.JOINTS)
    if joints.required:
        names = list(frame.joints)
        values = [frame.joints[name] for name in names]
        yield joints.topic, encode.encode_joint_state(now_ns, names, values)
    yield from _moving_state(embodiment, frame.moving, now_ns)


def _moving_state(
    embodiment: Embodiment, moving: MovingState, now_ns: int
) -> Iterator[tuple[str, bytes]]:
    streams = streams_of(embodiment)
    if embodiment.base is not None and moving.base is not None:
        frames = ("odom", embodiment.base.frame)
        data = odometry_to_cdr(now_ns, frames, moving.base.pose, moving.base.velocity)
        yield streams.get(Kind.ODOMETRY).topic, data
    for topic, group in by_topic(streams.of_kind(Kind.AXIS)).items():
        positions = [moving.axes[stream.key.name] for stream in group]
        yield topic, axes_to_cdr(group, now_ns, positions)
