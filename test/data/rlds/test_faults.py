# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A writer that is killed or runs out of disk leaves no half dataset, and the next one succeeds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from synthetic_dataset import synthetic_episode, synthetic_features, write_synthetic

from evla_ros.data.rlds.errors import DatasetError
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.data.rlds.staging import SUFFIX, staged_episodes
from evla_ros.embodiment import load_embodiment

ARM = load_embodiment("tabletop_arm")
WRITE = """
import sys, time
from pathlib import Path
from evla_ros.data.rlds.writer import DatasetWriter
from synthetic_dataset import synthetic_episode, synthetic_features
from evla_ros.embodiment import load_embodiment
arm = load_embodiment("tabletop_arm")
root, staging = Path(sys.argv[1]), Path(sys.argv[2])
with DatasetWriter(root, "my_robot", synthetic_features(arm), staging=staging) as writer:
    for index in range(200):
        writer.add(synthetic_episode(index, arm))
"""
FULL = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))\n"


def run(tmp_path, code):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    words = [sys.executable, "-c", code, str(tmp_path / "out"), str(tmp_path / "staging")]
    return subprocess.Popen(words, env=environment, stderr=subprocess.PIPE, text=True)


def test_a_killed_writer_is_resumed(tmp_path):
    process = run(tmp_path, WRITE)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and len(list(tmp_path.rglob(f"*{SUFFIX}"))) < 5:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    finished = staged_episodes(tmp_path / "staging", synthetic_features(ARM))
    assert len(finished) >= 5
    if process.returncode == -signal.SIGKILL:
        assert not (tmp_path / "out" / "my_robot" / "1.0.0").exists()
    report = write_synthetic(
        tmp_path / "out",
        [synthetic_episode(i, ARM) for i in range(20)],
        ARM,
        staging=tmp_path / "staging",
    )
    whole = write_synthetic(tmp_path / "whole", [synthetic_episode(i, ARM) for i in range(20)], ARM)
    if sum(report.splits.values()) == 20:
        for path in whole.path.iterdir():
            assert (report.path / path.name).read_bytes() == path.read_bytes()
    dataset = RldsDataset.open(report.path)
    assert sum(len(list(dataset.episodes(split))) for split in dataset.splits) >= 20


@pytest.mark.skipif(not hasattr(signal, "SIGXFSZ"), reason="needs POSIX file size limits")
def test_no_room_leaves_nothing_half_done(tmp_path):
    process = run(tmp_path, FULL + WRITE)  # a shard outgrows the limit, as on a full disk
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "OSError" in errors
    assert list((tmp_path / "out" / "my_robot").iterdir()) == []
    assert len(staged_episodes(tmp_path / "staging", synthetic_features(ARM))) == 200


def test_two_writers_at_once_do_not_mix(tmp_path, monkeypatch):
    from evla_ros.data.rlds import folder

    first = [synthetic_episode(i, ARM) for i in range(3)]
    choose = folder._choose_version

    def choose_while_the_other_finishes(*arguments):
        version = choose(*arguments)
        monkeypatch.setattr(folder, "_choose_version", choose)
        write_synthetic(tmp_path, first[:2], ARM)
        return version

    monkeypatch.setattr(folder, "_choose_version", choose_while_the_other_finishes)
    with pytest.raises(DatasetError, match="written by another process meanwhile"):
        write_synthetic(tmp_path, first, ARM)
    assert sum(RldsDataset.open(tmp_path / "my_robot").splits.values()) == 2
    assert write_synthetic(tmp_path, first, ARM).version == "1.1.0"
