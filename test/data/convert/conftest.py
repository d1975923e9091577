# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of an invented robot, and what one of them becomes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic_bag import SyntheticRobot, write_robot_bag

from evla_ros.data.convert.bag_job import convert_bag
from evla_ros.data.convert.dataset_features import bag_features
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.rlds.episode_decode import decode_episode
from evla_ros.data.rlds.staging import read_staged, staged_path
from evla_ros.embodiment import load_embodiment


@pytest.fixture(scope="session")
def robot():
    return SyntheticRobot(load_embodiment("tabletop_arm"), seconds=3.0, camera_hz=15.0)


@pytest.fixture
def options(robot):
    return ConvertOptions(robot.embodiment.text, image_size=(32, 32), idle="keep")


@pytest.fixture(scope="session")
def bags(robot, tmp_path_factory):
    """Return a folder of four sound bags; do not write into it."""
    folder = tmp_path_factory.mktemp("sound")
    for seed in range(4):
        write_robot_bag(folder / f"episode_{seed}", replace(robot, seed=seed))
    return folder


@pytest.fixture(scope="session")
def convert_one():
    """Return a function that converts a bag and reads back its episode, or list of episodes."""

    def convert(path, options, folder):
        result = convert_bag(path, options, folder / "staging")
        assert result.status == "kept", result.reason
        features = bag_features(options.embodiment(), options.image_size)
        episodes = []
        for name in result.episode_ids:
            _, payload, _ = read_staged(staged_path(folder / "staging", name))
            episodes.append(decode_episode(memoryview(payload), features))
        return (episodes[0] if len(episodes) == 1 else episodes), result

    return convert


@pytest.fixture(scope="session")
def times():
    """Return a function: when the sample that a tick holds was taken (poses come at 50 Hz) [s]."""

    def sampled(episode, robot):
        since_start = (episode.columns["stamp_ns"] - robot.start_ns) / 1e9
        return np.floor(since_start * 50 + 1e-6) / 50

    return sampled
