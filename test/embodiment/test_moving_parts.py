# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A base and single joints in an embodiment file: layout, streams, and what is refused."""

from __future__ import annotations

import copy

import pytest
import yaml

from evla_ros.embodiment import (
    EmbodimentError,
    action_columns,
    action_layout,
    load_embodiment,
    parse_embodiment,
    proprio_columns_of_arms,
    proprio_layout,
)
from evla_ros.embodiment.streams import (
    FLOAT64,
    FLOAT64_ARRAY,
    JOINT_STATE,
    JOINT_TRAJECTORY,
    ODOMETRY,
    TWIST,
    TWIST_STAMPED,
    Kind,
    streams_of,
)

ROBOT = load_embodiment("mobile_manipulator")
HEAD = {
    "unit": "rad",
    "command": "head/command",
    "command_type": "float64_array",
    "state": "joint_states",
    "limits": {"min": -1.0, "max": 1.0, "max_speed": 1.0, "max_acceleration": 4.0},
}


def variant(change):
    tree = yaml.safe_load(ROBOT.text)
    change(tree)
    return parse_embodiment(yaml.safe_dump(tree), source="variant")


def with_head(tree):
    for name in ("pan", "tilt"):
        tree["axes"].append(
            {"name": f"head_{name}", "joint": f"head_{name}", **copy.deepcopy(HEAD)}
        )


def test_an_action_is_the_arm_then_the_base_then_the_axes() -> None:
    layout = action_layout(ROBOT)
    assert layout.names[7:] == ("base_vx", "base_vy", "base_wz", "lift")
    assert layout.units[7:] == ("m/s", "m/s", "rad/s", "m")
    assert layout.normalization_mask == (True,) * 6 + (False,) + (True,) * 4
    assert layout.absolute_mask == (False,) * 6 + (True,) + (False,) * 3 + (True,)
    columns = action_columns(ROBOT)
    assert (columns.size, columns.base, columns.axes) == (layout.size, slice(7, 10), (10,))
    assert columns.absolute == (6, 10)


def test_two_arms_and_a_head_keep_the_order_of_the_file() -> None:
    def second_arm(tree):
        other = copy.deepcopy(tree["arms"][0])
        other["name"], other["pose"], other["gripper"] = "left", {"topic": "left/pose"}, None
        other["goal"]["topic"] = "left/goal"
        tree["arms"].append(other)
        with_head(tree)

    body = variant(second_arm)
    columns = action_columns(body)
    assert columns.arms == (slice(0, 7), slice(7, 14))
    assert (columns.base, columns.axes) == (slice(14, 17), (17, 18, 19))
    names = action_layout(body).names
    assert [names[axis] for axis in columns.axes] == ["lift", "head_pan", "head_tilt"]
    # What belongs to no arm is in no arm's columns.
    of_arms = {column for arm in proprio_columns_of_arms(body) for column in arm}
    others = set(range(proprio_layout(body).size)) - of_arms
    labels = [proprio_layout(body).names[column] for column in sorted(others)]
    assert labels == [
        "base_vx", "base_vy", "base_wz", "base_x", "base_y", "base_yaw",
        "lift", "head_pan", "head_tilt",
    ]  # fmt: skip


def test_proprio_has_velocity_pose_and_axes() -> None:
    layout = proprio_layout(ROBOT)
    assert layout.names[8:] == (
        "base_vx", "base_vy", "base_wz", "base_x", "base_y", "base_yaw", "lift",
    )  # fmt: skip
    assert layout.units[8:] == ("m/s", "m/s", "rad/s", "m", "m", "rad", "m")


def test_the_rows_of_base_and_axes() -> None:
    streams = streams_of(variant(with_head))
    odometry, command = streams.get(Kind.ODOMETRY), streams.get(Kind.BASE_COMMAND)
    assert (odometry.topic, odometry.type, odometry.required) == ("odom", ODOMETRY, True)
    assert (command.topic, command.type, command.max_age_s) == ("cmd_vel", TWIST, 0.5)
    lift, goal = streams.get(Kind.AXIS, "lift"), streams.get(Kind.AXIS_COMMAND, "lift")
    assert (lift.type, lift.selector) == (JOINT_STATE, ("lift_joint",))
    assert (goal.type, goal.selector) == (JOINT_TRAJECTORY, ("lift_joint",))
    pan, tilt = (streams.get(Kind.AXIS_COMMAND, f"head_{name}") for name in ("pan", "tilt"))
    assert (pan.type, pan.selector, tilt.selector) == (FLOAT64_ARRAY, ("0", "2"), ("1", "2"))
    assert streams.by_topic()["head/command"] == (pan, tilt)


def test_other_words_are_other_types() -> None:
    def other(tree):
        tree["base"]["command_type"] = "twist_stamped"
        tree["axes"][0].update(command_type="float64", state_type="float64", state="lift/state")
        del tree["axes"][0]["joint"]

    streams = streams_of(variant(other))
    assert streams.get(Kind.BASE_COMMAND).type == TWIST_STAMPED
    assert streams.get(Kind.AXIS, "lift").type == FLOAT64
    assert streams.get(Kind.AXIS_COMMAND, "lift").selector == ()


def test_a_robot_without_them_has_the_hash_it_always_had() -> None:
    arm = load_embodiment("tabletop_arm")
    assert "base" not in arm.model_dump(mode="json")
    assert "axes" not in arm.model_dump(mode="json")
    assert action_columns(arm).size == 7
    spelled = parse_embodiment(arm.text + "base: null\naxes: []\n", source="spelled")
    assert spelled.content_hash == arm.content_hash
    assert ROBOT.content_hash != arm.content_hash


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t["axes"][0].pop("joint"), "'joint' is missing"),
        (lambda t: t["axes"][0]["limits"].update(min=0.5), "min 0.5 is not below max 0.4"),
        (lambda t: t["axes"][0].update(name="arm"), "name 'arm' is used twice"),
        (lambda t: t["axes"][0].update(name="base_vx"), "is another action number's"),
        (lambda t: t["axes"][0].update(name="arm_gripper"), "is another action number's"),
        (lambda t: t["axes"][0].update(unit="mm"), "unit"),
        (lambda t: t["base"].update(command_type="ackermann"), "command_type"),
        (lambda t: t["base"]["limits"].pop("max_speed_m_s"), "base.limits.max_speed_m_s"),
        (lambda t: t["base"]["limits"].update(max_speed=1), "did you mean 'max_speed_m_s'"),
        (lambda t: t.pop("base"), "proprio lists 'base_velocity' but the file has no 'base'"),
        (lambda t: t.pop("axes"), "proprio lists 'axes' but the file has no 'axes'"),
        (
            lambda t: (with_head(t), t["axes"][1].update(command_type="float64")),
            "different command_types",
        ),
        (
            lambda t: (with_head(t), [a.update(command_type="float64") for a in t["axes"][1:]]),
            "a float64 holds one number",
        ),
        (
            lambda t: (with_head(t), t["axes"][2].update(joint="head_pan")),
            "axis state 'joint_states head_pan' is used twice",
        ),
    ],
)
def test_what_cannot_be_is_refused_by_name(change, words) -> None:
    with pytest.raises(EmbodimentError) as error:
        variant(change)
    assert words in str(error.value)
