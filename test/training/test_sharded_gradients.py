# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two ranks that share a network compute the gradients that one process computes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import sharded_ranks
import torch
from sharded_ranks import CASES, gradients

from evla_ros.model.building import random_model
from evla_ros.model.safe_files import read_safetensors, write_safetensors
from evla_ros.training.distributed import ProcessGroup

ALONE = ProcessGroup(0, 1, torch.device("cpu"))


@pytest.fixture(scope="module")
def together(tmp_path_factory):
    """The gradients that two gloo ranks wrote."""
    folder = tmp_path_factory.mktemp("ranks")
    large = random_model(sharded_ranks.configuration(sharded_ranks.Case(), **sharded_ranks.LARGE))
    write_safetensors(dict(large.named_parameters()), folder / "large.safetensors")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    run = [*command, sharded_ranks.__file__, str(folder)]
    assert subprocess.run(run, env=environment, timeout=170).returncode == 0
    return folder


@pytest.mark.parametrize("name", [name for name in CASES if CASES[name].precision == "fp32"])
def test_two_ranks_compute_the_gradients_of_one(together, name):
    found, expected = (
        read_safetensors(together / f"{name}.safetensors"),
        gradients(CASES[name], ALONE),
    )
    assert found.keys() == expected.keys()
    assert name in ("heads_alone", "adapters") or float(expected["auxiliary_loss"]) > 0.1
    for key, gradient in expected.items():
        torch.testing.assert_close(found[key], gradient.detach(), rtol=2e-4, atol=2e-6, msg=key)


def test_in_bf16_the_gradients_are_summed_in_fp32_and_point_the_same_way(together):
    found, expected = (
        read_safetensors(together / "bf16.safetensors"),
        gradients(CASES["grounding"], ALONE),
    )
    assert {gradient.dtype for gradient in found.values()} == {torch.float32}
    keys = [key for key, gradient in found.items() if gradient.dim()]
    flat = [torch.cat([part[key].detach().flatten() for key in keys]) for part in (found, expected)]
    assert float(torch.cosine_similarity(*flat, dim=0)) > 0.98
    alike = abs(float(found["loss"]) - float(expected["loss"]))
    assert alike < 0.02 * float(expected["loss"])


def test_no_rank_holds_the_network_as_a_whole(together):
    whole = (together / "large.safetensors").stat().st_size
    for rank in range(2):
        found = json.loads((together / f"memory{rank}.json").read_text())
        assert abs(found["parts"] - whole / 2) < 0.02 * whole
        assert found["mapped"] < 0.1 * whole
        assert found["sharded"] < 0.7 * whole
