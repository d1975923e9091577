# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of an invented robot, rewritten message by message for each fault."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evla_ros.bench.synthetic_bag import SyntheticRobot, robot_events, write_robot_bag
from evla_ros.data.bags.definitions import definition_of
from evla_ros.data.bags.writer import McapBagWriter
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


def rewrite(folder: Path, robot: SyntheticRobot, change: Callable, extra=(), **custom) -> Path:
    """Write the robot's bag; `change` maps each event to one event, or None to leave it out."""
    body = robot.embodiment
    data = {"embodiment": body.text, "instruction": robot.instruction, "outcome": robot.outcome}
    latency = round(robot.latency_s * 1e9)
    with McapBagWriter(folder, {**data, **custom}) as writer:
        channels = {}
        for event in sorted([*robot_events(robot), *extra], key=lambda e: e.stamp_ns):
            changed = change(event)
            if changed is None:
                continue
            if changed.topic not in channels:
                definition = definition_of(changed.type)
                channels[changed.topic] = writer.add_topic(changed.topic, changed.type, definition)
            writer.write(channels[changed.topic], changed.data, changed.stamp_ns + latency)
    return folder
