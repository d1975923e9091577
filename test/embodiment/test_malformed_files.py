# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every malformed embodiment file is refused with the exact key in the sentence."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from evla_ros.embodiment import EmbodimentError, load_embodiment, parse_embodiment

GOOD: dict[str, Any] = yaml.safe_load(load_embodiment("humanoid_upper_body").text)
DELETE = object()

# (path into the file, new value or DELETE, what the error must say)
MALFORMED: list[tuple[list[Any], Any, str]] = [
    (["name"], DELETE, "name: missing"),
    (["name"], "My Robot", "name: 'My Robot' is not lower_snake_case"),
    (["name"], "2arm", "name: '2arm' is not lower_snake_case"),
    (["name"], 7, "name: 7 is not accepted"),
    (["base_frame"], DELETE, "base_frame: missing"),
    (["base_frame"], "/base_link", "base_frame: '/base_link' starts with /"),
    (["base_frame"], "base link", "base_frame: 'base link' is not a frame name"),
    (["rate_hz"], DELETE, "rate_hz: missing"),
    (["rate_hz"], "10 Hz", "rate_hz: '10 Hz' is not accepted"),
    (["rate_hz"], 0, "rate_hz: 0 is not accepted"),
    (["rate_hz"], -5.0, "rate_hz: -5.0 is not accepted"),
    (["rate_hz"], float("nan"), "rate_hz: nan is not accepted"),
    (["rate_hz"], float("inf"), "rate_hz: inf is not accepted"),
    (["rate_hz"], True, "rate_hz: True is not accepted"),
    (["rate"], 10, "rate: unknown key; did you mean 'rate_hz'?"),
    (["goal_rate_hz"], 10, "goal_rate_hz: 10 is not accepted"),
    (["goal_rate_hz"], 1000, "goal_rate_hz: 1000 is not accepted"),
    (["cameras"], DELETE, "cameras: missing"),
    (["cameras"], {}, "cameras: "),
    (["cameras"], ["head"], "cameras: "),
    (["cameras", "primary"], DELETE, "cameras needs one named 'primary'"),
    (["cameras", "primary", "topic"], DELETE, "cameras.primary.topic: missing"),
    (
        ["cameras", "primary", "topic"],
        "a//b",
        "cameras.primary.topic: 'a//b' is not a ROS topic name",
    ),
    (["cameras", "primary", "topic"], "head/1st", "cameras.primary.topic: 'head/1st' is not a ROS"),
    (["cameras", "primary", "topic"], "head image", "cameras.primary.topic: 'head image' is not"),
    (["cameras", "primary", "transport"], "jpeg", "cameras.primary.transport: 'jpeg'"),
    (
        ["cameras", "primary", "max_age"],
        0.5,
        "cameras.primary.max_age: unknown key; did you mean 'max_age_s'?",
    ),
    (["cameras", "primary", "max_age_s"], 0, "cameras.primary.max_age_s: 0 is not accepted"),
    (["cameras", "primary", "max_age_s"], 500, "cameras.primary.max_age_s: 500 is not accepted"),
    (["cameras", "Head"], {"topic": "x"}, "cameras.Head"),
    (
        ["cameras", "left_wrist", "topic"],
        "head/image_raw",
        "camera topic 'head/image_raw' is used twice",
    ),
    (["instruction", "topik"], "x", "instruction.topik: unknown key; did you mean 'topic'?"),
    (["arms"], DELETE, "arms: missing"),
    (["arms"], [], "arms: "),
    (["arms", 1, "name"], "left", "arm name 'left' is used twice"),
    (["arms", 1, "nam"], "x", "arms[1].nam: unknown key; did you mean 'name'?"),
    (["arms", 1, "pose", "topic"], DELETE, "arms[1].pose: takes exactly one of 'topic' and 'tf'"),
    (["arms", 1, "pose", "tf"], ["base_link", "r_gripper"], "arms[1].pose: takes exactly one of"),
    (["arms", 1, "pose"], {"tf": ["base_link"]}, "arms[1].pose.tf: "),
    (
        ["arms", 1, "pose", "topic"],
        "left_arm/current_pose",
        "pose topic 'left_arm/current_pose' is used",
    ),
    (["arms", 0, "goal"], DELETE, "arms[0].goal: missing"),
    (["arms", 0, "goal", "executor"], "moveit", "arms[0].goal.executor: 'moveit'"),
    (
        ["arms", 1, "goal", "topic"],
        "left_arm/target_pose",
        "goal topic 'left_arm/target_pose' is used",
    ),
    (["arms", 0, "gripper", "open"], 0.0, "arms[0].gripper: 'open' and 'closed' are both 0"),
    (
        ["arms", 0, "gripper", "opened"],
        1.0,
        "arms[0].gripper.opened: unknown key; did you mean 'open'?",
    ),
    (
        ["arms", 0, "gripper", "state_type"],
        "joint_state",
        "arms[0].gripper: 'state_joint' goes with",
    ),
    (["arms", 0, "gripper", "state_joint"], "l_finger", "arms[0].gripper: 'state_joint' goes with"),
    (["arms", 0, "limits"], DELETE, "arms[0].limits: missing"),
    (["arms", 0, "limits", "max_speed_m_s"], DELETE, "arms[0].limits.max_speed_m_s: missing"),
    (
        ["arms", 0, "limits", "max_speed_mm_s"],
        500,
        "arms[0].limits.max_speed_mm_s: unknown key; did you mean",
    ),
    (
        ["arms", 0, "limits", "max_speed_m_s"],
        20.0,
        "arms[0].limits.max_speed_m_s: 20.0 is not accepted",
    ),
    (
        ["arms", 0, "limits", "max_rotation_rad_s"],
        115,
        "arms[0].limits.max_rotation_rad_s: 115 is not",
    ),
    (["arms", 0, "limits", "workspace_min_m"], [0, 0], "arms[0].limits.workspace_min_m: "),
    (
        ["arms", 0, "limits", "workspace_min_m"],
        [9, 0, 0],
        "arms[0].limits: workspace_min_m 9.0 is not below",
    ),
    (["arms", 0, "limits", "workspace_max_m"], [750, 1, 1], "arms[0].limits: the workspace is"),
    (
        ["arms", 0, "limits", "max_step_m"],
        0.2,
        "arms[0].limits.max_step_m 0.2 at rate_hz 10 needs 2",
    ),
    (
        ["arms", 1, "limits", "max_step_rad"],
        1.0,
        "arms[1].limits.max_step_rad 1 at rate_hz 10 needs 10",
    ),
    (["action"], DELETE, "action: missing"),
    (["action", "space"], "joint", "action.space: 'joint'"),
    (["action", "chunk"], 0, "action.chunk: 0 is not accepted"),
    (["action", "chunk"], 8.5, "action.chunk: 8.5 is not accepted"),
    (["action", "source"], "measured", "action.source: 'measured'"),
    (["proprio"], ["joints"], "proprio[0]: 'joints'"),
    (["proprio"], ["ee_pose", "ee_pose"], "proprio entry 'ee_pose' is used twice"),
    (["proprio"], "ee_pose", "proprio: "),
    (["arms", 1, "joints"], ["a", "a"], "arms[1] joint 'a' is used twice"),
]


def changed(path: list[Any], value: Any) -> str:
    tree = copy.deepcopy(GOOD)
    section = tree
    for key in path[:-1]:
        section = section[key]
    if value is DELETE:
        del section[path[-1]]
    else:
        section[path[-1]] = value
    return yaml.safe_dump(tree, sort_keys=False)


@pytest.mark.parametrize(("path", "value", "said"), MALFORMED)
def test_a_malformed_file_is_refused_with_its_key(path, value, said):
    with pytest.raises(EmbodimentError) as refused:
        parse_embodiment(changed(path, value), source="robot.yaml")
    assert any(f"robot.yaml: {said}" in line for line in str(refused.value).splitlines()), (
        f"no line says {said!r}:\n{refused.value}"
    )


def test_there_are_at_least_forty_malformed_files():
    assert len(MALFORMED) >= 40


def test_joint_positions_need_joint_names():
    tree = copy.deepcopy(GOOD)
    tree["proprio"] = ["joint_positions"]
    tree["arms"][1]["joints"] = []
    with pytest.raises(EmbodimentError, match=r"arms\[1\]\.joints is empty"):
        parse_embodiment(yaml.safe_dump(tree))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "a mapping of keys"),
        ("- a\n- b\n", "a mapping of keys"),
        ("name: a\nname: b\n", "line 2, column 1: not valid YAML: key 'name' is written twice"),
        ("a: b: c\n", "line 1, column 5: not valid YAML"),
        ("a: &x [1]\nb: *x\n", "alias *x is not allowed"),
        ("a: !!python/object/apply:os.system [ls]\n", "not valid YAML"),
        ("a: \x00\n", "not valid YAML"),
    ],
)
def test_text_that_is_not_a_plain_mapping_is_refused_with_its_line(text, said):
    with pytest.raises(EmbodimentError) as refused:
        parse_embodiment(text)
    assert said in str(refused.value)


def test_every_problem_is_listed_at_once():
    tree = copy.deepcopy(GOOD)
    tree["rate_hz"] = "fast"
    tree["arms"][0]["limits"]["max_speed"] = 1.0
    with pytest.raises(EmbodimentError) as refused:
        parse_embodiment(yaml.safe_dump(tree))
    assert len(refused.value.problems) == 2


def test_a_file_that_is_not_there_names_the_nearest(tmp_path):
    with pytest.raises(EmbodimentError, match="did you mean 'tabletop_arm'"):
        load_embodiment("tabletop_am")
    with pytest.raises(EmbodimentError, match=r"missing\.yaml"):
        load_embodiment(tmp_path / "missing.yaml")


def test_a_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "robot.yaml"
    path.write_bytes(b"\xff\xfe\x00bad")
    with pytest.raises(EmbodimentError, match="not UTF-8"):
        load_embodiment(path)
