# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training frames through the live policy node give the trainer's tokens; other weights do not."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from small_training import CHUNK, small_driving_robot, write_dataset

from evla_ros.cli.main import main
from evla_ros.training.config_file import parse_config
from evla_ros.training.errors import TrainingError
from evla_ros.training.evaluation.offline_eval import load_predictor
from evla_ros.training.evaluation.parity import Parity, check_parity
from evla_ros.training.samples.source import Source
from evla_ros.training.train import train


@pytest.fixture
def checkpoint(settings):
    """A network of one step."""
    settings["optimizer"] = {"steps": 1, "batch": 2}
    return train(parse_config(settings, "test")) / "last"


def parity(training, live):
    tokens = [np.digitize(np.asarray(v), np.linspace(-1, 1, 257)) for v in (training, live)]
    return Parity(np.asarray(training), np.asarray(live), *tokens)


def test_rounding_at_the_edge_of_a_bin_passes_and_another_token_does_not():
    edge = 2.0 / 256
    assert parity([[[edge - 1e-7, 0.3]]], [[[edge + 1e-7, 0.3]]]).passed
    wrong = parity([[[0.1, 0.3]]], [[[0.12, 0.3]]])
    assert not wrong.passed
    assert wrong.report()["tokens_equal"] == 0.5


@pytest.mark.timeout(400)
def test_the_live_node_gives_the_trainers_tokens(ros_domain, checkpoint, plain_dataset, settings):
    words = ["eval", "offline", "--policy", str(checkpoint), "--dataset", str(plain_dataset)]
    done = subprocess.run(
        [sys.executable, "-m", "evla_ros", *words, "--split=train", "--live=3", "--json"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    live = json.loads(done.stdout)["live"]
    assert live == {
        **live,
        "frames": 3,
        "tokens": 3 * CHUNK * 7,
        "tokens_equal": 1.0,
        "passed": True,
    }
    assert live["largest_difference"] < 1e-5
    other = {**settings, "output": settings["output"] + "2", "seed": 1}
    served = train(parse_config(other, "test")) / "last"
    source = Source(plain_dataset, "train")

    def ask_live(embodiment, moments):
        from evla_ros.ros.evaluation.live_replay import ask_live_node

        return ask_live_node(served, embodiment, moments, "cpu")

    assert not check_parity(load_predictor(checkpoint, source.name), source, 1, ask_live).passed


@pytest.mark.timeout(400)
def test_a_driving_robot_with_poses_by_tf_is_replayed(ros_domain, tmp_path, settings):
    from evla_ros.ros.evaluation.live_replay import ask_live_node

    path = write_dataset(tmp_path, "driving", robot=small_driving_robot())
    settings |= {"datasets": [{"path": str(path)}], "optimizer": {"steps": 1, "batch": 2}}
    checkpoint = train(parse_config(settings, "test")) / "last"
    source = Source(path, "train")

    def ask_live(embodiment, moments):
        assert np.ptp([m.moving.base.pose.position_m[0] for m in moments]) > 0.5
        return ask_live_node(checkpoint, embodiment, moments, "cpu")

    report = check_parity(load_predictor(checkpoint, source.name), source, 3, ask_live).report()
    assert (report["passed"], report["tokens"]) == (True, 3 * CHUNK * 11)
    assert report["largest_difference"] < 1e-5


def test_a_dataset_of_another_robot_is_refused(checkpoint, tmp_path, capsys):
    from small_datasets import two_arm_dataset

    path = two_arm_dataset(tmp_path)
    source = Source(path, "train")
    with pytest.raises(TrainingError, match="is for 'tabletop_arm'.*'two_arms' is from another"):
        check_parity(
            load_predictor(checkpoint, source.name),
            source,
            1,
            lambda *_: pytest.fail("asked a node"),
        )
    words = ["eval", "offline", "--policy", str(checkpoint), "--dataset", str(path), "--live", "2"]
    assert main([*words, "--split", "train"]) == 2
    assert capsys.readouterr().err.startswith("error: ")
