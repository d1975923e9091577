# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Velocities, odometry and positions of axes survive their messages, in every form of the table."""

from __future__ import annotations

import math

import numpy as np
import pytest
import yaml

from evla_ros.data.bags import encode
from evla_ros.data.bags.definitions import definition_of, typestore
from evla_ros.data.cdr import CdrError
from evla_ros.data.codecs.axis import (
    AxisMessageError,
    axes_fields,
    axes_to_cdr,
    axis_from_cdr,
    position_from_cdr,
)
from evla_ros.data.codecs.base import (
    BaseMessageError,
    odometry_from_cdr,
    odometry_to_cdr,
    velocity_fields,
    velocity_from_cdr,
    velocity_to_cdr,
)
from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.embodiment.streams import Kind, streams_of
from evla_ros.geometry import Pose

BODY = load_embodiment("mobile_manipulator")
LIMITS = {"min": -1.0, "max": 1.0, "max_speed": 1.0, "max_acceleration": 4.0}


def robot(command="twist", axis="joint_trajectory", axes=1):
    tree = yaml.safe_load(BODY.text)
    tree["base"]["command_type"] = command
    tree["axes"] = [
        {
            "name": f"axis{i}", "unit": "m", "joint": f"joint{i}", "command": "axes/command",
            "command_type": axis, "limits": dict(LIMITS),
        }
        for i in range(axes)
    ]  # fmt: skip
    return parse_embodiment(yaml.safe_dump(tree), source=command)


def same_fields(sent, fields):
    """Check that a deserialised message has these fields, nested ones too."""
    for name, value in fields.items():
        found = getattr(sent, name)
        if isinstance(value, dict):
            same_fields(found, value)
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for one, each in zip(found, value, strict=True):
                same_fields(one, each)
        else:
            assert np.array_equal(found, value), name


@pytest.mark.parametrize("form", ["twist", "twist_stamped"])
def test_a_velocity_survives_cdr_and_fields(form) -> None:
    stream = streams_of(robot(form)).get(Kind.BASE_COMMAND)
    data = velocity_to_cdr(stream, 7, "base_link", [0.2, -0.1, 0.4])
    found = velocity_from_cdr(stream, data)
    np.testing.assert_array_equal(found.velocity, [0.2, -0.1, 0.4])
    assert (found.stamp_ns, found.frame) == ((7, "base_link") if "stamped" in form else (0, ""))
    sent = typestore().deserialize_cdr(data, stream.type)
    same_fields(sent, velocity_fields(stream, "base_link", [0.2, -0.1, 0.4]))
    assert definition_of(stream.type).text


@pytest.mark.parametrize("numbers", [[0, 0, 0.3, 0, 0, 0], [0.1, 0, 0, 0.5, 0, 0]])
def test_a_velocity_that_an_action_has_no_number_for_is_refused(numbers) -> None:
    stream = streams_of(BODY).get(Kind.BASE_COMMAND)
    vector = typestore().types["geometry_msgs/msg/Vector3"]
    twist = typestore().types["geometry_msgs/msg/Twist"]
    message = twist(vector(*map(float, numbers[:3])), vector(*map(float, numbers[3:])))
    data = bytes(typestore().serialize_cdr(message, "geometry_msgs/msg/Twist"))
    with pytest.raises(BaseMessageError, match="a base has vx, vy and wz only"):
        velocity_from_cdr(stream, data)


def test_what_is_not_finite_or_cut_off_is_an_error() -> None:
    stream = streams_of(BODY).get(Kind.BASE_COMMAND)
    with pytest.raises(BaseMessageError, match="not finite"):
        velocity_from_cdr(stream, encode.encode_twist([math.nan, 0, 0]))
    odometry = odometry_to_cdr(1, ("odom", "base_link"), Pose.identity(), [0, math.inf, 0])
    with pytest.raises(BaseMessageError, match="not finite"):
        odometry_from_cdr(odometry)
    with pytest.raises(CdrError):
        odometry_from_cdr(odometry[:200])


def test_odometry_survives() -> None:
    pose = Pose.from_xyz_rpy([1.0, -2.0, 0.0], [0.0, 0.0, 0.7])
    data = odometry_to_cdr(9, ("odom", "base_link"), pose, [0.3, 0.0, -0.2])
    found = odometry_from_cdr(data)
    assert (found.stamp_ns, found.frame) == (9, "base_link")
    np.testing.assert_allclose(found.pose.as_vector(), pose.as_vector())
    np.testing.assert_array_equal(found.velocity, [0.3, 0.0, -0.2])


@pytest.mark.parametrize("form", ["joint_trajectory", "float64_array"])
def test_axes_of_one_topic_are_sent_together(form) -> None:
    streams = streams_of(robot(axis=form, axes=3)).of_kind(Kind.AXIS_COMMAND)
    data = axes_to_cdr(streams, 5, [0.1, 0.2, 0.3], 0.04)
    assert [position_from_cdr(s, data) for s in streams] == [0.1, 0.2, 0.3]
    sent = typestore().deserialize_cdr(data, streams[0].type)
    same_fields(sent, axes_fields(streams, [0.1, 0.2, 0.3], 0.04))
    assert definition_of(streams[0].type).text


def test_one_axis_as_a_number_and_as_a_joint() -> None:
    streams = streams_of(robot(axis="float64"))
    command, state = streams.get(Kind.AXIS_COMMAND, "axis0"), streams.get(Kind.AXIS, "axis0")
    assert axis_from_cdr(command, axes_to_cdr([command], 5, [0.25])) == (0, 0.25)
    assert axis_from_cdr(state, axes_to_cdr([state], 5, [0.25])) == (5, 0.25)
    other = encode.encode_joint_state(5, ["wheel"], [1.0])
    assert axis_from_cdr(state, other).position is None
    assert math.isnan(position_from_cdr(state, other))


def test_of_a_trajectory_the_last_point_is_the_goal() -> None:
    stream = streams_of(robot()).get(Kind.AXIS_COMMAND, "axis0")
    types, empty = typestore().types, np.zeros(0)
    duration = types["builtin_interfaces/msg/Duration"](1, 0)
    point = types["trajectory_msgs/msg/JointTrajectoryPoint"]
    points = [point(np.array([p]), empty, empty, empty, duration) for p in (0.1, 0.2, 0.3)]
    header = types["std_msgs/msg/Header"](types["builtin_interfaces/msg/Time"](0, 0), "")
    message = types[stream.type](header, ["joint0"], points)
    data = bytes(typestore().serialize_cdr(message, stream.type))
    assert position_from_cdr(stream, data) == pytest.approx(0.3)
    with pytest.raises(CdrError):
        position_from_cdr(stream, data[:-30])


def test_an_array_of_another_length_is_refused() -> None:
    stream = streams_of(robot(axis="float64_array", axes=2)).get(Kind.AXIS_COMMAND, "axis1")
    with pytest.raises(AxisMessageError, match=r"an array of 3 numbers, the file has 2 axes"):
        axis_from_cdr(stream, encode.encode_float64_array([0.0, 1.0, 2.0]))
