# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sharded training by switch: two gloo ranks with FSDP2 learn what one learns; one goes on."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import yaml

from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.training.config_file import parse_config
from evla_ros.training.metrics import read_metrics
from evla_ros.training.run_folder import run_config
from evla_ros.training.train import train


def test_two_sharded_ranks_learn_what_one_learns(settings, tmp_path):
    settings["optimizer"].update(batch=8, steps=6, ema=0.5, schedule="constant")
    settings["activation_checkpointing"] = True
    whole = losses(train(parse_config(settings, "test")))
    path = tmp_path / "two.yaml"
    run = {**settings, "output": str(tmp_path / "two"), "distributed": "fsdp"}
    run["optimizer"] = {**run["optimizer"], "steps": 4}
    path.write_text(yaml.safe_dump(run))
    many = ["torch.distributed.run", "--nproc-per-node=2", "--standalone", "-m"]
    command = [sys.executable, "-m", *many, "evla_ros.training.train", str(path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(command, env=environment, timeout=170).returncode == 0
    load_checkpoint(tmp_path / "two" / "last")
    np.testing.assert_allclose(losses(tmp_path / "two"), whole[:4], rtol=2e-3)
    config = run_config(tmp_path / "two", ["optimizer.steps=6"], resume=True)
    assert config.distributed == "fsdp"
    train(config, resume=True)
    np.testing.assert_allclose(losses(tmp_path / "two"), whole, rtol=2e-3)


def losses(folder):
    return [entry["loss"] for entry in read_metrics(folder) if "loss" in entry]
