# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A real checkpoint (random weights) in the real node, and one of another robot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("torch", reason="PyTorch is not installed")

import torch
from policy_rig import CONFIGURE, Rig

from evla_ros.embodiment import load_embodiment
from evla_ros.model.checkpoint import save_checkpoint
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.presets import load_preset
from evla_ros.model.text_tokenizer import train_tokenizer

ROBOT = load_embodiment("tabletop_arm")

pytestmark = [pytest.mark.timeout(180), pytest.mark.usefixtures("ros_domain")]


def numbers(size: int, high: float) -> dict[str, list[float] | list[bool]]:
    values = {"mean": 0.0, "std": high / 2, "min": -high, "max": high, "q01": -high, "q99": high}
    mask = [i % 7 != 6 for i in range(size)]
    return {**{key: [value] * size for key, value in values.items()}, "mask": mask}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    cameras = list(ROBOT.cameras)
    config = load_preset(
        "evla-nano", chunk=ROBOT.action.chunk, dim=7, cameras=cameras, proprio_dim=8
    )
    tokenizer = train_tokenizer(["In: lift the red block?\nOut:"], 300)
    entry = {"action": numbers(7, 0.03), "proprio": numbers(8, 1.0)}
    folder = tmp_path_factory.mktemp("run") / "checkpoint"
    statistics = DatasetStatistics({ROBOT.name: entry})
    return save_checkpoint(folder, EvlaModel(config).eval(), tokenizer, statistics, ROBOT.text)


def test_a_checkpoint_moves_the_arm_within_its_limits(checkpoint: Path) -> None:
    rig = Rig(worker="process", policy="evla", checkpoint=str(checkpoint), inference_threads=1)
    with rig:
        rig.bring_up("lift the red block")
        rig.wait_for(lambda: len(rig.chunks) >= 3, "chunks", 30.0)
        assert rig.statuses[-1].inference_p50_ms > 0
        limits = ROBOT.arms[0].limits
        positions = np.array([goal.position for goal in rig.robot.goals[0]])
        assert np.all(positions >= np.array(limits.workspace_min_m) - 1e-9)
        assert np.all(positions <= np.array(limits.workspace_max_m) + 1e-9)


def test_a_checkpoint_of_another_robot_is_refused_with_the_fields(
    checkpoint: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.yaml"
    other.write_text(ROBOT.text.replace("max_speed_m_s: 0.5", "max_speed_m_s: 0.6"))
    parameters = {"policy": "evla", "checkpoint": str(checkpoint), "embodiment": str(other)}
    with Rig(overrides={**parameters, "worker": "process"}) as rig:
        assert not rig.transition(CONFIGURE)
        rig.wait_for(lambda: any("max_speed_m_s" in line for line in rig.log), "the field")
        assert rig.state() == "unconfigured"
        assert rig.workers() == []
