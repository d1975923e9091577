# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A file is proposed from bags that know nothing of us, loads strictly, and says what to check."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from foreign_robot import FINGER, JOINTS, Foreign, write_bag
from recorded_beside import depth_image, wrench

from evla_ros.data.bags import encode
from evla_ros.data.proposal.ages import motion_age_s
from evla_ros.data.proposal.propose import ProposalError, propose
from evla_ros.data.proposal.words import has, identifier, relative, side, words
from evla_ros.data.survey.bag import survey_bag
from evla_ros.data.survey.survey import Survey
from evla_ros.data.survey.topic import SeenTopic
from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.embodiment.streams import IMAGE, JOINT_STATE, POSE_STAMPED
from evla_ros.geometry import Pose
from evla_ros.units import SECOND_NS as SECOND


def _propose(folder, robot=None, **kwargs):
    return propose(survey_bag(write_bag(folder / "bag", robot or Foreign())), "my UR", **kwargs)


def test_a_foreign_bag_becomes_a_file_that_loads(tmp_path):
    found = _propose(tmp_path)
    (tmp_path / "ur.yaml").write_text(found.text)
    robot = load_embodiment(tmp_path / "ur.yaml")
    assert robot.content_hash == found.embodiment.content_hash
    assert robot.name == "my_ur"
    assert robot.base_frame == "base_link"
    assert list(robot.cameras) == ["primary", "wrist"]
    assert robot.cameras["primary"].topic == "ext_cam/color/image_raw/compressed"
    assert robot.cameras["primary"].transport == "compressed"
    (arm,) = robot.arms
    assert arm.pose.tf == ["base_link", "tool0"]
    assert arm.goal.topic == "cartesian_motion_controller/target_frame"
    assert arm.goal.executor == "cartesian_controllers"
    assert arm.joints == list(JOINTS)
    assert arm.gripper.state_joint == FINGER
    assert arm.gripper.open == pytest.approx(0.0, abs=0.01), "a knuckle turns close"
    assert arm.gripper.closed == pytest.approx(0.8, abs=0.01)
    assert 0.2 < arm.limits.workspace_min_m[0] < 0.3
    assert 0.5 < arm.limits.workspace_max_m[0] < 0.6
    assert arm.limits.max_speed_m_s <= 0.25
    assert "or TF base_link -> flange" in found.text
    assert any("open:" in line for line in found.checks)


def test_goals_that_are_whole_ways_name_their_executor(tmp_path):
    goal = "/cartesian_trajectory_controller/trajectory"
    found = _propose(tmp_path, Foreign(goal=goal, ways=True))
    (tmp_path / "robot.yaml").write_text(found.text)
    (arm,) = load_embodiment(tmp_path / "robot.yaml").arms
    assert (arm.goal.topic, arm.goal.executor) == (goal[1:], "cartesian_trajectory")


def test_a_slow_camera_sets_the_rate(tmp_path):
    assert _propose(tmp_path, Foreign(camera_hz=5.0)).embodiment.rate_hz == 5.0


def test_a_pose_topic_is_preferred_and_tf_is_named_beside_it(tmp_path):
    found = _propose(tmp_path, Foreign(pose_topic="/ur/tcp_pose"))
    assert found.embodiment.arms[0].pose.topic == "ur/tcp_pose"
    assert "or TF base_link -> tool0" in found.text


def test_a_base_beside_the_arm_is_still_its_base(tmp_path):
    assert _propose(tmp_path, Foreign(beside=True)).embodiment.arms[0].pose.tf == [
        "base_link", "tool0"
    ]  # fmt: skip


def test_topics_of_a_namespace_are_written_relative_to_it(tmp_path):
    found = _propose(tmp_path, Foreign(camera="/left/cam/image_raw"), namespace="left")
    assert found.embodiment.cameras["primary"].topic == "cam/image_raw"


def test_who_chooses_is_asked_with_the_likeliest_first(tmp_path):
    asked = {}

    class Second:
        def choose(self, question, labels):
            asked[question] = list(labels)
            return 1

    found = _propose(tmp_path, chooser=Second())
    assert found.embodiment.cameras["primary"].topic == "wrist_cam/color/image_raw"
    assert found.embodiment.arms[0].pose.tf == ["base_link", "flange"]
    labels = next(labels for question, labels in asked.items() if "camera" in question)
    assert labels[0].startswith("/ext_cam")


def test_a_base_and_a_lift_are_found_beside_the_arm(tmp_path):
    found = _propose(tmp_path, Foreign(drives=True))
    robot = found.embodiment
    assert robot.base_frame == "base_link", "not the odometry's"
    assert (robot.base.odometry, robot.base.command) == ("odom", "cmd_vel")
    assert robot.base.command_type == "twist"
    assert robot.base.frame == "base_link"
    assert robot.base.limits.max_lateral_m_s == 0.0
    (lift,) = robot.axes
    assert (lift.name, lift.unit, lift.joint) == ("torso_lift", "m", "torso_lift_joint")
    assert lift.command == "torso_controller/joint_trajectory"
    assert lift.limits.min <= 0.06
    assert lift.limits.max >= 0.14
    assert "base_velocity" in robot.proprio
    assert "torso_lift_joint" not in robot.arms[0].joints
    for written in ("  max_age_s: 0.2    # without odometry", "    max_age_s: 0.5\n"):
        assert written in robot.text, "a check may tell the user to raise it"


@pytest.mark.parametrize(
    ("rate_hz", "gap_s", "age_s"),
    [(50.0, 0.03, 0.2), (10.0, 0.1, 0.3), (10.0, 0.25, 0.38), (1.0, 1.0, 0.5), (0.0, 0.0, 0.2)],
)
def test_how_old_a_measurement_may_grow_follows_from_how_it_arrives(rate_hz, gap_s, age_s):
    assert motion_age_s(SimpleNamespace(rate_hz=rate_hz, gap_s=gap_s)) == pytest.approx(age_s)


@pytest.mark.parametrize("name", ["talker_mcap", "talker_sqlite3"])
def test_a_bag_without_a_robot_is_refused_with_what_it_has(shared, name):
    with pytest.raises(ProposalError, match=r"no camera .* it has .*/topic \(String\)"):
        propose(survey_bag(shared / "data" / "rosbag2" / name), "x")


def test_a_bag_without_a_pose_is_refused(tmp_path):
    with pytest.raises(ProposalError, match="no measured tool pose"):
        _propose(tmp_path, Foreign(tool="widget", seconds=0.02))


def test_two_arms_are_told_apart_by_their_sides_and_an_action_is_named():
    topics = {}
    for index in range(20):
        now = index * SECOND // 10
        pose = Pose.from_xyz_rpy([0.4 + index / 100, 0.0, 0.3], [0.0, 0.0, 0.0])
        joints = [f"{side}_{joint}" for side in ("l", "r") for joint in ("j1", "gripper_joint")]
        messages = {
            ("/head/image_raw", IMAGE): encode.encode_image(now, "", np.zeros((8, 8, 3), np.uint8)),
            ("/left_arm/ee_pose", POSE_STAMPED): encode.encode_pose(now, "torso", pose),
            ("/right_arm/ee_pose", POSE_STAMPED): encode.encode_pose(now, "torso", pose),
            ("/joint_states", JOINT_STATE): encode.encode_joint_state(
                now, joints, [0.01 * index] * 4
            ),
        }
        for (name, kind), data in messages.items():
            topics.setdefault(name, SeenTopic(name, kind)).take(now, data)
    actions = {"/left_hand/gripper_cmd": "control_msgs/action/GripperCommand"}
    found = propose(Survey("a test", True, 2.0, topics, actions), "two arms")
    assert [arm.name for arm in found.embodiment.arms] == ["left", "right"]
    assert [arm.joints for arm in found.embodiment.arms] == [["l_j1"], ["r_j1"]]
    assert [arm.gripper.state_joint for arm in found.embodiment.arms] == [
        "l_gripper_joint", "r_gripper_joint"
    ]  # fmt: skip
    assert found.text.count("left_hand/gripper_cmd") == 1
    assert len({arm.goal.topic for arm in found.embodiment.arms}) == 2


def test_names_tell_words_sides_and_identifiers():
    assert words("/leftArm/current_pose1") == ["left", "arm", "current", "pose1"]
    assert side("l_gripper/state") == "left"
    assert side("left_to_right") == ""
    assert has("/gripper2/state", {"gripper"})
    assert identifier("/2cams/Image_Raw", ["image", "raw"]) == "x_2cams"
    assert relative("/left/cam", "left") == "cam"
    assert relative("/cam", "left") == "/cam"


def test_what_is_no_input_is_proposed_to_be_recorded_as_comments(tmp_path):
    names = {"/ft/wrench": "geometry_msgs/WrenchStamped", "/cam/depth": "sensor_msgs/Image"}
    makes = {"/ft/wrench": wrench, "/cam/depth": depth_image, "/points": None, "/chatter": None}
    survey = survey_bag(write_bag(tmp_path / "bag", Foreign()))
    topics = dict(survey.topics)
    for name, make in makes.items():
        kind = names.get(name, "sensor_msgs/PointCloud2").replace("/", "/msg/")
        topics[name] = SeenTopic(name, kind)
        for stamp in range(0, SECOND, SECOND // 10) if make else ():
            topics[name].take(stamp, make(stamp, stamp / SECOND))
        topics[name].count = topics[name].count or 1
    found = propose(Survey("a bag", False, 1.0, topics), "my UR")
    assert found.embodiment.record == []
    assert "#   - ft/wrench    # geometry_msgs/WrenchStamped, 10 Hz" in found.text
    assert "#   - {topic: points, column: none}    # sensor_msgs/PointCloud2" in found.text
    at = found.text.index("# record:")
    lines = found.text[at:].replace("# record", "record").replace("#   -", "  -")
    written = found.text[:at] + lines
    robot = parse_embodiment(written)
    assert {one.key: one.column for one in robot.record}.items() >= {
        ("ft_wrench", "numbers"), ("cam_depth", "depth"), ("points", "none"),
    }  # fmt: skip
    assert "joint_states" not in found.text[at:]


def test_reading_a_bag_says_how_far_it_has_come(tmp_path):
    told = []
    survey_bag(write_bag(tmp_path / "bag", Foreign()), lambda *numbers: told.append(numbers))
    done, totals = zip(*told, strict=True)
    assert list(done) == sorted(done)
    assert len(set(totals)) == 1
    assert 0 < done[-1] < totals[0]
