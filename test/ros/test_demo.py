# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla demo` moves the simulated robot through the real nodes, says what happened, films it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("mujoco", reason="the simulator is not installed")
av = pytest.importorskip("av", reason="PyAV is not installed")


def demo(*words, domain):
    return subprocess.run(
        [sys.executable, "-m", "evla_ros", "demo", *words],
        capture_output=True, text=True, timeout=240,
        env=os.environ | {"ROS_DOMAIN_ID": str(domain)},
    )  # fmt: skip


def test_the_demonstration_solves_its_task_and_films_it(ros_domain, tmp_path):
    video = tmp_path / "demo.mp4"
    words = ("--rehearsed", "--console", "--tasks", "lift", "--video", str(video))
    done = demo(*words, domain=ros_domain)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "console: http://127.0.0.1:" in done.stdout
    assert "1 of 1 solved" in done.stdout
    first, *_, last = done.stdout.splitlines()
    assert first.startswith("A simulated robot does what it is told")
    assert last.startswith("  evla robot init")
    with av.open(str(video)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) >= 5
    height, width, _ = frames[0].shape
    assert height >= 480
    assert width > height
    assert abs(frames[0].astype(int) - frames[-1]).mean() > 0.5, "the robot has moved"


def test_the_shipped_policy_answers_several_instructions_with_one_node(ros_domain, tmp_path):
    pytest.importorskip("torch", reason="the EVLA policy needs PyTorch: `make build`")
    done = demo("--tasks", "reach", "open", "--video", str(tmp_path / "x.mp4"), domain=ros_domain)
    assert done.returncode in (0, 1), done.stderr
    assert "checkpoints/tabletop_arm" in done.stdout
    rows = [line for line in done.stdout.splitlines() if " Hz " in line]
    assert [row.split()[0] for row in rows] == ["reach", "open"]
    rates_hz = [float(row.split(" s ")[1].split()[0]) for row in rows]
    assert min(rates_hz) > 5.0, "goals were published for both instructions"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--world", "tabletop"), "tabletop_arm"),
        (("--tasks", "juggle"), "juggle"),
        (("--checkpoint", "nowhere"), "nowhere"),
        (("--checkpoint", "nowhere", "--rehearsed"), "exclude each other"),
    ],
)
def test_wrong_arguments_are_named_in_one_sentence(ros_domain, tmp_path, words, said):
    failed = demo(*words, "--video", str(tmp_path / "x.mp4"), domain=ros_domain)
    assert failed.returncode in (1, 2)
    assert said in failed.stderr
    assert "Traceback" not in failed.stderr
