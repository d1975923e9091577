# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A Python environment that cannot work is named in one sentence, by the commands and the nodes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from evla_ros.errors import EvlaError
from evla_ros.requirements import check_pydantic

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("version", ["1.8.2", "1.10.14", "2.5.3"])
def test_an_old_pydantic_is_named(version):
    with pytest.raises(EvlaError, match=rf"pydantic 2.6 or newer and this Python has {version}"):
        check_pydantic(version)


@pytest.mark.parametrize("version", ["2.6.0", "2.12.0rc1", "3.0"])
def test_a_new_one_is_taken(version):
    check_pydantic(version)


@pytest.mark.parametrize(
    ("blocked", "sentence"),
    [
        ("pydantic.py", "evla_ros needs pydantic 2.6 or newer and this Python has 1.10.14"),
        ("rclpy.py", "there is no rclpy in this Python: source ROS 2"),
    ],
)
def test_a_node_that_cannot_start_says_one_sentence(tmp_path, blocked, sentence):
    text = "VERSION = '1.10.14'\n"
    if blocked == "rclpy.py":
        text = "raise ModuleNotFoundError('no rclpy', name='rclpy')\n"
    (tmp_path / blocked).write_text(text)
    done = subprocess.run(
        [sys.executable, str(ROOT / "bin" / "policy")],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"error: {sentence}")
    assert "Traceback" not in done.stderr


def test_a_command_says_it_too(tmp_path):
    (tmp_path / "pydantic.py").write_text("VERSION = '1.10.14'\n")
    done = subprocess.run(
        [sys.executable, "-m", "evla_ros", "doctor", "--embodiment", "tabletop_arm"],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert done.returncode == 2
    assert "needs pydantic 2.6 or newer" in done.stderr
    assert "Traceback" not in done.stderr
