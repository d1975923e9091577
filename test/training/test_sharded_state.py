# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The state of a sharded run: any number of ranks goes on from it; a spoilt one is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
import sharded_state
import torch
from sharded_state import Training

from evla_ros.model.safe_files import read_safetensors
from evla_ros.training.checkpointing import states
from evla_ros.training.distributed import alone
from evla_ros.training.errors import TrainingError

SECOND = "shard-00002-of-00002.safetensors"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a state that one process saved, and what two ranks then did."""
    folder = tmp_path_factory.mktemp("state")
    one = Training(alone())
    one.steps(0, 2)
    one.save(folder / "alone", 2)
    one.steps(2, 2)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    run = [*command, sharded_state.__file__, str(folder)]
    done = subprocess.run(run, env=environment, timeout=170, capture_output=True, text=True)
    assert "Signal 9 (SIGKILL)" in done.stderr, done.stderr[-3000:]
    shutil.copytree(folder / "together", folder / "kept")
    return folder, one.tensors()


def test_two_ranks_go_on_bit_for_bit(folder):
    folder, _ = folder
    whole, resumed = (
        read_safetensors(folder / f"{name}.safetensors") for name in ("uninterrupted", "together")
    )
    assert whole.keys() == resumed.keys()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_two_ranks_go_on_from_one(folder):
    folder, one = folder
    close(read_safetensors(folder / "alone.safetensors"), one)


def test_one_process_goes_on_from_two_ranks_and_from_what_a_kill_left(folder):
    folder, one = folder
    saved = folder / "together"
    assert [path.name for path in states(saved)] == ["step-00000002"]
    assert list((saved / "state").glob(".partial-*"))
    resumed = Training(alone())
    assert resumed.load(saved)["best"] == 1.5
    resumed.steps(2, 2)
    close(resumed.tensors(), one)
    resumed.save(saved, 4)
    assert [path.name for path in (saved / "state").iterdir()] == ["step-00000004"]


def test_the_files_are_those_of_pytorch(folder, tmp_path):
    from torch.distributed import checkpoint

    folder, _ = folder
    state = spoilt(folder, tmp_path)
    one = Training(alone())
    tensors = {f"model.{key}": p.detach() * 0 for key, p in one.model.named_parameters()}
    reader = checkpoint.HuggingFaceStorageReader(str(states(state)[-1]))
    checkpoint.load(tensors, storage_reader=reader, no_dist=True)
    one.load(state)
    for key, parameter in one.model.named_parameters():
        assert torch.equal(tensors[f"model.{key}"], parameter)


def test_a_state_that_is_not_whole_is_refused_by_name(folder, tmp_path):
    folder, _ = folder
    for name, (change, message) in SPOILT.items():
        copy = spoilt(folder, tmp_path / name.replace(" ", "_"))
        change(states(copy)[-1])
        with pytest.raises(TrainingError, match=message):
            Training(alone()).load(copy)


def test_the_state_of_another_network_is_refused(folder, tmp_path, monkeypatch):
    copy = spoilt(folder[0], tmp_path)
    monkeypatch.setitem(sharded_state.CASE.action, "l1_width", 16)
    with pytest.raises(TrainingError, match=r"'model.l1_head\S+' has shape \[32.*\[16"):
        Training(alone()).load(copy)


def spoilt(folder, target):
    """Return a copy of what two ranks saved after two steps, before another test went on."""
    return shutil.copytree(folder / "kept", target / "copy")


def older(state):
    """Put the shard of another save, of the same size, in the place of the second."""
    header = (state / SECOND).read_bytes()
    save = json.loads((state / "state.json").read_text())["save"].encode()
    assert header.count(save) == 1
    (state / SECOND).write_bytes(header.replace(save, b"0" * len(save)))


def flip(state):
    content = bytearray((state / SECOND).read_bytes())
    content[-1] ^= 1
    (state / SECOND).write_bytes(content)


def unlist(state):
    content = json.loads((state / "state.json").read_text())
    del content["files"][SECOND]
    (state / "state.json").write_text(json.dumps(content))


SPOILT = {
    "missing": (lambda state: (state / SECOND).unlink(), f"lacks '{SECOND}'"),
    "cut off": (lambda state: os.truncate(state / SECOND, 500), f"{SECOND} has 500 bytes"),
    "stale": (older, f"{SECOND} is of another save"),
    "changed": (flip, f"{SECOND} differs from its recorded hash"),
    "one too many": (unlist, f"{SECOND} belongs to another save"),
}


def close(found, expected):
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        if "grounding.key.bias" in name:  # shifts all patches alike: its gradient is rounding
            continue
        torch.testing.assert_close(found[name], tensor, rtol=1e-3, atol=1e-5, msg=name)
