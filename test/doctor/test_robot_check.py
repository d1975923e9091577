# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whatever a file and a bag disagree about is a red row with its fix; what agrees is not."""

from __future__ import annotations

import json

import pytest
from foreign_robot import Foreign, write_bag

from evla_ros.cli.main import main
from evla_ros.data.proposal.propose import propose
from evla_ros.data.survey.bag import survey_bag
from evla_ros.doctor.robot.check import check
from evla_ros.embodiment import parse_embodiment

POSED = Foreign(pose_topic="/ur/tcp_pose")


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    """Return the file of a robot that is in order."""
    bag = write_bag(tmp_path_factory.mktemp("good") / "bag", POSED)
    return propose(survey_bag(bag), "ur").text


def reds(text, folder, robot):
    rows = check(parse_embodiment(text), survey_bag(write_bag(folder / "bag", robot)))
    found = [row for row in rows if row.status == "red"]
    assert all(row.fix for row in found)
    return {row.name: f"{row.seen} | {row.fix}" for row in found}


def test_a_robot_in_order_has_no_red_row(text, tmp_path):
    assert reds(text, tmp_path, POSED) == {}


@pytest.mark.parametrize(
    ("fault", "row", "words"),
    [
        ({"pose_frame": "tool0"}, "pose arm", ["in frame 'tool0'", "base_frame: tool0"]),
        ({"pose_scale": 1000.0}, "pose arm", ["up to 5", "millimetres"]),
        ({"degrees": True}, "joints", ["degrees? ROS uses radians"]),
        ({"degrees": True}, "gripper arm", ["degrees here?"]),
        ({"finger": "finger_joint"}, "gripper arm", ["no joint 'robotiq_85", "finger_joint"]),
        ({"camera_hz": 5.0}, "camera primary", ["5.", "the policy acts at 10 Hz"]),
        ({"stamp_offset_s": -3.0}, "camera primary", ["3.00 s behind", "synchronise the clocks"]),
        ({"stamp_offset_s": 3.0}, "pose arm", ["3.00 s ahead of"]),
        ({"camera": "/ext/image_raw/compressed"}, "camera primary", ["not in the bag", "/ext/"]),
        ({"wrist": "/wrist_cam/color/image_raw/compressed"}, "camera wrist", ["not in the bag"]),
        ({"goal": "/other/target"}, "goal arm", ["not in the bag", "achieved"]),
    ],
)  # fmt: skip
def test_each_fault_is_red_with_a_fix(text, tmp_path, fault, row, words):
    robot = Foreign(**{"pose_topic": "/ur/tcp_pose", **fault})
    found = reds(text, tmp_path, robot)
    assert row in found, found
    assert all(word in found[row] for word in words), found[row]


def test_a_base_and_a_lift_are_held_to_the_file_too(tmp_path):
    driving = Foreign(drives=True)
    text = propose(survey_bag(write_bag(tmp_path / "bag", driving)), "ur").text
    assert reds(text, tmp_path, driving) == {}
    found = reds(text, tmp_path, Foreign(drives=True, odometry_frame="base_footprint"))
    assert "write base.frame: base_footprint" in found["odometry"]
    found = reds(text.replace("min: 0.04", "min: 0.09"), tmp_path, driving)
    assert "widen limits of axis torso_lift" in found["axis torso_lift"]
    found = reds(text.replace("joint: torso_lift_joint", "joint: lift"), tmp_path, driving)
    assert "no joint 'lift'" in found["axis torso_lift"]


@pytest.mark.parametrize(
    ("old", "new", "row", "words"),
    [
        ("transport: compressed", "transport: raw", "camera primary", ["CompressedImage"]),
        ("workspace_max_m: [0.55", "workspace_max_m: [0.45", "pose arm", ["x was 0.3", "widen"]),
        ("topic: ur/tcp_pose", "tf: [base_link, tcp]", "pose arm", ["no frame 'tcp'", "tool0"]),
        ("topic: ur/tcp_pose", "tf: [world, base_link]", "pose arm", ["it never moves"]),
        ("elbow_joint", "ellbow_joint", "joints", ["did you mean 'elbow_joint'?"]),
    ],
)
def test_each_mistake_in_the_file_is_red_with_a_fix(text, tmp_path, old, new, row, words):
    assert old in text
    found = reds(text.replace(old, new, 1), tmp_path, POSED)
    assert row in found, found
    assert all(word in found[row] for word in words), found[row]


def test_the_command_says_what_is_next_and_what_is_red(text, tmp_path, capsys):
    (tmp_path / "ur.yaml").write_text(text)
    bag = write_bag(tmp_path / "bag", POSED)
    assert main(["robot", "check", str(tmp_path / "ur.yaml"), "--bag", str(bag)]) == 0
    assert "all well; next: `evla convert" in capsys.readouterr().out
    (tmp_path / "ur.yaml").write_text(text.replace("transport: compressed", "transport: raw"))
    assert main(["robot", "check", str(tmp_path / "ur.yaml"), "--bag", str(bag), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["healthy"] is False


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["init", "x.txt", "--yes"], "ends in .yaml"),
        (["init", "no/such/x.yaml", "--yes"], "no such folder"),
        (["init", "{tmp}/x.yaml", "--yes", "--from", "nothing"], "nothing does not exist"),
        (["init", "{tmp}/x.yaml", "--from", "nothing"], "add --yes"),
        (["check", "tabletop_arm", "--live", "--bag", "x"], "exclude each other"),
        (["check", "tabletop_arn"], "did you mean 'tabletop_arm'?"),
        (["chek"], "did you mean 'check'?"),
    ],
)
def test_a_mistake_is_one_sentence(words, sentence, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", (tmp_path / "empty").open("w+"))
    assert main(["robot", *(word.format(tmp=tmp_path) for word in words)]) == 2
    assert sentence in capsys.readouterr().err


def test_an_existing_file_is_never_overwritten(tmp_path, capsys):
    (tmp_path / "ur.yaml").write_text("mine")
    assert main(["robot", "init", str(tmp_path / "ur.yaml"), "--yes"]) == 2
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "ur.yaml").read_text() == "mine"
