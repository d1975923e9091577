# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The shipped files, the hash, the comparison and the layout that follows from a file."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from evla_ros.embodiment import (
    action_layout,
    differences,
    load_embodiment,
    parse_embodiment,
    proprio_columns_of_arms,
    proprio_layout,
)
from evla_ros.errors import EvlaError


@pytest.fixture
def tabletop():
    return load_embodiment("tabletop_arm")


@pytest.fixture
def humanoid():
    return load_embodiment("humanoid_upper_body")


def test_one_arm_layout(tabletop):
    layout = action_layout(tabletop)
    assert layout.size == 7
    assert layout.names == (
        "arm_dx", "arm_dy", "arm_dz", "arm_droll", "arm_dpitch", "arm_dyaw", "arm_gripper",
    )  # fmt: skip
    assert layout.units == ("m", "m", "m", "rad", "rad", "rad", "1")
    assert layout.normalization_mask == (True,) * 6 + (False,)
    assert proprio_layout(tabletop).names == (
        "arm_x", "arm_y", "arm_z", "arm_qx", "arm_qy", "arm_qz", "arm_qw", "arm_gripper",
    )  # fmt: skip


def test_two_arm_layout_is_in_file_order(humanoid):
    layout = action_layout(humanoid)
    assert layout.size == 14
    assert layout.slice_of("right_rotation") == slice(10, 13)
    assert layout.names[:7] == tuple(
        f"left_{x}" for x in ["dx", "dy", "dz", "droll", "dpitch", "dyaw", "gripper"]
    )
    proprio = proprio_layout(humanoid)
    assert proprio.size == 16
    assert proprio.slice_of("right_ee_position") == slice(7, 10)


def test_features_tile_the_vector_without_gap(humanoid):
    for layout in (action_layout(humanoid), proprio_layout(humanoid)):
        stops = [0, *(feature.stop for feature in layout.features)]
        assert [feature.start for feature in layout.features] == stops[:-1]
        assert len(set(layout.names)) == layout.size == len(layout.units)


def test_joint_positions_are_laid_out_per_arm(tabletop):
    text = tabletop.text.replace(
        "proprio: [ee_pose, gripper]", "proprio: [joint_positions, gripper]"
    )
    layout = proprio_layout(parse_embodiment(text))
    assert layout.names == (*(f"arm_joint{i}" for i in range(1, 8)), "arm_gripper")


def test_an_unknown_feature_names_the_nearest(humanoid):
    with pytest.raises(EvlaError, match="did you mean 'left_position'"):
        action_layout(humanoid).slice_of("left_positon")


def test_no_proprio_is_a_layout_of_size_zero(tabletop):
    text = tabletop.text.replace("proprio: [ee_pose, gripper]", "proprio: []")
    assert proprio_layout(parse_embodiment(text)).size == 0


def test_the_hash_ignores_comments_and_description_but_not_content(tabletop):
    commented = parse_embodiment("# a comment\n" + tabletop.text.replace("7-joint", "some"))
    assert commented.content_hash == tabletop.content_hash
    assert commented.text != tabletop.text
    faster = parse_embodiment(tabletop.text.replace("max_speed_m_s: 0.5", "max_speed_m_s: 0.6"))
    assert faster.content_hash != tabletop.content_hash


def test_spelling_out_a_default_is_the_same_content(tabletop):
    spelled = parse_embodiment(tabletop.text + "\nestop: {topic: estop}\n")
    assert spelled.content_hash == tabletop.content_hash


def test_differences_name_the_field(tabletop, humanoid):
    faster = parse_embodiment(tabletop.text.replace("max_speed_m_s: 0.5", "max_speed_m_s: 0.6"))
    assert differences(tabletop, faster) == ["arms[0].limits.max_speed_m_s: 0.5 here, 0.6 there"]
    assert differences(tabletop, tabletop) == []
    assert any(line.startswith("arms: ") for line in differences(tabletop, humanoid))


def test_gripper_converts_both_ways(tabletop):
    gripper = tabletop.arms[0].gripper
    assert gripper.device_value(1.0) == 0.08
    assert gripper.device_value(0.0) == 0.0
    assert gripper.opening(0.04) == 0.5
    assert gripper.opening(9.0) == 1.0
    assert gripper.device_value(-3.0) == 0.0


def test_an_inverted_gripper_still_means_one_is_open(tabletop):
    text = tabletop.text.replace("open: 0.08", "open: 0.0").replace("closed: 0.0", "closed: 255.0")
    gripper = parse_embodiment(text).arms[0].gripper
    assert gripper.opening(0.0) == 1.0
    assert gripper.opening(255.0) == 0.0
    assert gripper.device_value(0.25) == pytest.approx(191.25)


def test_a_loaded_embodiment_is_immutable(tabletop):
    with pytest.raises(ValidationError):
        tabletop.rate_hz = 20


def test_every_arm_has_its_own_numbers_of_the_proprio_vector(humanoid, tabletop):
    names = proprio_layout(humanoid).names
    for arm, columns in zip(humanoid.arms, proprio_columns_of_arms(humanoid), strict=True):
        assert [names[i] for i in columns] == [
            *(f"{arm.name}_{axis}" for axis in ("x", "y", "z", "qx", "qy", "qz", "qw")),
            f"{arm.name}_gripper",
        ]
    assert proprio_columns_of_arms(tabletop) == (tuple(range(proprio_layout(tabletop).size)),)
    text = humanoid.text.replace("[ee_pose, gripper]", "[joint_positions, ee_pose, gripper]")
    left, right = proprio_columns_of_arms(parse_embodiment(text))
    assert left == (*range(7), *range(14, 21), 28)
    assert right == (*range(7, 14), *range(21, 28), 29)


def test_a_state_may_have_ends_of_its_own(tabletop):
    own = {"state_open": 10.0, "state_closed": 50.0}
    gripper = type(tabletop.arms[0].gripper)(**tabletop.arms[0].gripper.model_dump(), **own)
    assert gripper.measured_opening(10.0) == 1.0
    assert gripper.measured_opening(40.0) == pytest.approx(0.25)
    assert gripper.state_value(0.25) == pytest.approx(40.0)
    assert gripper.opening(0.08) == 1.0
    assert "state_open" not in tabletop.arms[0].gripper.model_dump()
    with pytest.raises(ValidationError, match="'state_open' and 'state_closed' go together"):
        type(gripper)(**tabletop.arms[0].gripper.model_dump(), state_open=1.0)


@pytest.mark.parametrize(
    ("topic", "said"),
    [
        ("arm/gripper/state", "gripper:arm (std_msgs/msg/Float64)"),
        ("camera/primary/image_raw", "camera:primary (sensor_msgs/msg/Image)"),
        ("instruction", "instruction (std_msgs/msg/String)"),
    ],
)
def test_one_topic_of_two_types_is_refused(tabletop, topic, said):
    text = tabletop.text.replace("topic: arm/current_pose", f"topic: {topic}")
    with pytest.raises(EvlaError, match="cannot carry both") as caught:
        parse_embodiment(text, source="robot.yaml")
    assert said in str(caught.value)
    assert "give each its own topic" in str(caught.value)
