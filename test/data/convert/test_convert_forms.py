# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Other ways to say the same: poses from TF, grippers as joints, joints as proprioception; TFDS."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import numpy as np
import pytest
from synthetic_bag import SyntheticRobot, arm_pose, tf_event, write_robot_bag

from evla_ros.data.bags import encode
from evla_ros.data.convert.bag_job import read_bag
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.run import convert
from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.geometry.pose import Pose, compose, inverse

SECOND = 1_000_000_000
WRIST_TO_TOOL = Pose.from_xyz_rpy([0.0, 0.0, 0.1], [0.0, 0.0, 0.2])


@pytest.fixture(scope="module")
def tabletop():
    return load_embodiment("tabletop_arm")


def options_of(text):
    return ConvertOptions(text, image_size=(32, 32), idle="keep")


def test_pose_from_tf_is_that_of_the_topic(tabletop, tmp_path):
    text = tabletop.text.replace("topic: arm/current_pose", "tf: [base_link, tool]")
    body = parse_embodiment(text, source="test")
    robot = SyntheticRobot(body, seconds=2.0, camera_hz=15.0, latency_s=0.0)
    static = tf_event("/tf_static", robot.start_ns, "wrist", "tool", WRIST_TO_TOOL)

    def as_tf(event):
        if event.topic != "/tf":
            return event
        time_s = (event.stamp_ns - robot.start_ns) / SECOND - robot.lag_s
        wrist = compose(arm_pose(0, 0, time_s), inverse(WRIST_TO_TOOL))
        return tf_event("/tf", event.stamp_ns, "base_link", "wrist", wrist)

    bag = write_robot_bag(tmp_path / "tf", robot, as_tf, [static])
    (from_tf,) = read_bag(bag, options_of(text)).episodes
    plain = replace(robot, embodiment=tabletop)
    bag = write_robot_bag(tmp_path / "topic", plain)
    (from_topic,) = read_bag(bag, options_of(tabletop.text)).episodes
    n = min(len(from_tf), len(from_topic))
    assert n >= 17
    np.testing.assert_allclose(
        from_tf.observations["state"][:n], from_topic.observations["state"][:n], atol=1e-5
    )
    np.testing.assert_allclose(from_tf.action[:n], from_topic.action[:n], atol=1e-5)


def test_grippers_as_joints_and_joint_positions_as_proprio(tabletop, tmp_path):
    text = tabletop.text.replace(
        "state: arm/gripper/state",
        "state: joint_states\n      state_type: joint_state\n      state_joint: finger\n"
        "      command_type: float64_array",
    ).replace("proprio: [ee_pose, gripper]", "proprio: [joint_positions, gripper]")
    body = parse_embodiment(text, source="test")
    robot = SyntheticRobot(body, seconds=3.0, camera_hz=15.0)
    gripper = body.arms[0].gripper

    def as_joints(event):
        value = None
        if event.topic == "/joint_states":
            time_s = (event.stamp_ns - robot.start_ns) / SECOND
            value = gripper.device_value(0.25 if time_s > 1.5 else 1.0)
            names = ["finger", *body.arms[0].joints]
            data = encode.encode_joint_state(event.stamp_ns, names, [value, *range(7)])
            return event._replace(type="sensor_msgs/msg/JointState", data=data)
        if event.topic == "/arm/gripper/command":
            data = encode.encode_float64_array([gripper.closed])
            return event._replace(type="std_msgs/msg/Float64MultiArray", data=data)
        return event

    bag = write_robot_bag(tmp_path / "bag", robot, as_joints)
    (episode,) = read_bag(bag, options_of(text)).episodes
    state = episode.observations["state"]
    np.testing.assert_allclose(state[:, :7], np.tile(np.arange(7), (len(state), 1)))
    assert state[0, 7] == 1.0
    assert state[-1, 7] == pytest.approx(0.25)
    assert not episode.action[:, 6].any()


CHECK = """
import sys
import tensorflow_datasets as tfds
builder = tfds.builder_from_directory(sys.argv[1])
for split in builder.info.splits:
    for episode in builder.as_dataset(split=split):
        steps = list(episode["steps"].as_numpy_iterator())
        last = steps[-1]
        image = last["observation"]["image_primary"]
        print(split, len(steps), image.shape, last["stamp_ns"] > 1e18, bool(last["is_last"]))
"""


def test_real_tfds_reads_a_converted_dataset(tabletop, tmp_path, tfds_python):
    for seed in range(3):
        robot = SyntheticRobot(tabletop, seconds=2.0, camera_hz=15.0, seed=seed)
        write_robot_bag(tmp_path / "bags" / f"b{seed}", robot)
    report = convert([tmp_path / "bags"], tmp_path / "out", options_of(tabletop.text))
    command = [str(tfds_python), "-c", CHECK, report.dataset]
    done = subprocess.run(command, capture_output=True, text=True, timeout=150)
    lines = [line for line in done.stdout.splitlines() if line.startswith(("train", "val"))]
    assert len(lines) == 3, done.stderr[-2000:]
    assert all("(32, 32, 3) True True" in line for line in lines)
