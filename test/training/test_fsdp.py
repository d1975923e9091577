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
from evla_ros.training.metrics import read_metrics


def test_two_sharded_ranks_learn_what_one_learns(settings, tmp_path):
    settings["optimizer"].update(batch=8, steps=4)
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    many = ["torch.distributed.run", "--nproc-per-node=2", "--standalone", "-m"]
    found = []
    for name, launch, mode in (("one", [], "ddp"), ("two", many, "fsdp")):
        run = {**settings, "output": str(tmp_path / name), "distributed": mode}
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(run))
        command = [sys.executable, "-m", *launch, "evla_ros.training.train", str(path)]
        assert subprocess.run(command, env=environment, timeout=170).returncode == 0
        found.append([e["loss"] for e in read_metrics(tmp_path / name) if "loss" in e])
        load_checkpoint(tmp_path / name / "last")
    np.testing.assert_allclose(found[1], found[0], rtol=2e-3)
