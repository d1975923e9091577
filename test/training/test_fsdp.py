# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sharded training by switch: two gloo ranks with FSDP2 learn what one rank learns."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import yaml

from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.training.config import parse_config
from evla_ros.training.metrics import read_metrics
from evla_ros.training.train import train


def test_two_sharded_ranks_learn_what_one_learns(settings, tmp_path):
    settings["optimizer"].update(batch=8, steps=4)
    whole = losses(train(parse_config(settings, "test")))
    path = tmp_path / "two.yaml"
    run = {**settings, "output": str(tmp_path / "two"), "distributed": "fsdp"}
    path.write_text(yaml.safe_dump(run))
    many = ["torch.distributed.run", "--nproc-per-node=2", "--standalone", "-m"]
    command = [sys.executable, "-m", *many, "evla_ros.training.train", str(path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(command, env=environment, timeout=170).returncode == 0
    load_checkpoint(tmp_path / "two" / "last")
    np.testing.assert_allclose(losses(tmp_path / "two"), whole, rtol=2e-3)


def losses(folder):
    return [entry["loss"] for entry in read_metrics(folder) if "loss" in entry]
