# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files, by ROS 2's own launch where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

STANDARD = {"namespace", "use_sim_time", "log_level"}
EXPECTED = {
    "policy": STANDARD
    | {"params_file", "embodiment", "checkpoint", "device", "autostart", "use_respawn"},
    "sim": STANDARD | {"params_file", "world", "use_respawn"},
    "bringup": STANDARD
    | {"params_file", "embodiment", "checkpoint", "device", "autostart", "use_respawn"}
    | {"sim", "recorder"},
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_the_standard_arguments_are_declared(root: Path, name: str) -> None:
    text = (root / "launch" / f"{name}.launch.py").read_text()
    declared = set(re.findall(r'^        \("(\w+)", ', text, re.MULTILINE))
    assert EXPECTED[name] <= declared


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_ros2_launch_shows_the_arguments(root: Path, name: str) -> None:
    pytest.importorskip("launch_ros", reason="ROS 2's launch is not on PyPI; source a distro")
    if shutil.which("ros2") is None:
        pytest.skip("the command ros2 is not installed; source a distro")
    command = ["ros2", "launch", str(root / "launch" / f"{name}.launch.py"), "--show-args"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert set(re.findall(r"^    '(\w+)':", done.stdout, re.MULTILINE)) >= EXPECTED[name]
