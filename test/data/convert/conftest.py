# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of an invented robot."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evla_ros.bench.synthetic_bag import SyntheticRobot, write_robot_bag
from evla_ros.data.convert.options import ConvertOptions
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
