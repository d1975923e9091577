# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A step of a dataset as what its robot's sensors sent: they give the same proprio again."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from small_training import small_driving_robot, write_dataset

from evla_ros.data.alignment.observation import proprio_vector
from evla_ros.embodiment import parse_embodiment
from evla_ros.training.errors import TrainingError
from evla_ros.training.evaluation.dataset_snapshot import snapshot_of
from evla_ros.training.samples.source import Source


def robot_with(proprio):
    tree = yaml.safe_load(small_driving_robot().text)
    return parse_embodiment(yaml.safe_dump(tree | {"proprio": proprio}), source="test")


def first_episode(robot, folder):
    return Source(write_dataset(folder, "driving", 6, robot=robot), "train").episode(0)


def test_sensors_of_a_base_a_lift_and_an_arm_give_the_state_of_the_dataset(tmp_path):
    robot = small_driving_robot()
    episode = first_episode(robot, tmp_path)
    for step in range(3):
        seen = snapshot_of(episode, step, robot)
        again = proprio_vector(robot, seen.poses, seen.openings, seen.joints, seen.moving)
        np.testing.assert_allclose(again, episode.proprio[step], atol=1e-7)


def test_what_proprio_leaves_out_stands_still(tmp_path):
    robot = robot_with(["ee_pose", "gripper"])
    moving = snapshot_of(first_episode(robot, tmp_path), 0, robot).moving
    assert moving.base.velocity.tolist() == moving.base.pose.position_m.tolist() == [0.0] * 3
    assert moving.axes == {"lift": 0.2}


def test_a_robot_without_its_pose_in_proprio_is_refused(tmp_path):
    robot = robot_with(["gripper", "base_velocity", "base_pose", "axes"])
    with pytest.raises(TrainingError, match="has no ee_pose; its frames cannot be replayed"):
        snapshot_of(first_episode(small_driving_robot(), tmp_path), 0, robot)
