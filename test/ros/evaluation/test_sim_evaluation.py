# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An evaluation through the real nodes: three processes, one referee."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from eval_report import read_report

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build` does it")

from evla_ros.cli.main import main
from evla_ros.sim.evaluation.record import Verdict
from evla_ros.sim.experts.rollout import run_expert
from evla_ros.sim.experts.style import Style
from evla_ros.sim.worlds import make_world


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the actions with which an expert reaches a block from seed 0."""
    world = make_world("tabletop_arm")
    task = world.reset(0, "reach")
    rng = np.random.default_rng(0)
    actions = np.stack([tick.label for tick in run_expert(world, task, Style(), rng)])
    world.close()
    path = tmp_path_factory.mktemp("actions") / "reach.npy"
    # A busy machine answers late and late rows are lost: let those be rows without motion.
    still = np.tile([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0], (12, 1))
    np.save(path, np.concatenate([still, actions]))
    return path


def test_a_replayed_demonstration_succeeds_here_and_through_the_nodes(
    ros_domain: int, recorded: Path, tmp_path: Path
) -> None:
    words = ["eval", "sim", "--policy", f"replay:{recorded}", "--tasks", "reach", "--episodes", "1"]
    words += ["--max-seconds", "6", "--image-size", "64"]
    assert main([*words, "--baselines", "none", "--out", str(tmp_path / "here")]) == 0
    nodes_words = [*words, "--ros", "--ros-speed", "0.2", "--baselines", "hold"]
    assert main([*nodes_words, "--out", str(tmp_path / "nodes")]) == 0
    (here,) = read_report(tmp_path / "here" / "report.json")[1]
    nodes, hold = read_report(tmp_path / "nodes" / "report.json")[1]
    assert [r.verdict for r in (here, nodes, hold)] == [
        Verdict.SUCCESS,
        Verdict.SUCCESS,
        Verdict.FAILURE,
    ]
    assert nodes.instruction == here.instruction
    assert nodes.goals > 10
    assert nodes.path_m[0] > 0.5 * here.path_m[0]


def test_a_policy_that_cannot_be_loaded_is_one_sentence(
    ros_domain: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["eval", "sim", "--ros", "--policy", "expert", "--out", str(tmp_path / "x")]
    assert main(words) == 2
    assert "no ROS node can" in capsys.readouterr().err
