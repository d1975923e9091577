# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The wheel that pip builds holds every module and every file the modules read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy, so that the checkout stays clean."""
    copy = tmp_path_factory.mktemp("wheel") / "evla_ros"
    copy.mkdir()
    for name in ("setup.py", "pyproject.toml", "README.md", "package.xml", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    for folder in ("evla_ros", "config", "launch", "resource"):
        if (ROOT / folder).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / folder, copy / folder, ignore=ignore)
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    done = subprocess.run(
        [*command, "--quiet", "-w", str(copy.parent), str(copy)],
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with zipfile.ZipFile(next(copy.parent.glob("*.whl"))) as archive:
        return copy, set(archive.namelist())


def test_every_module_and_data_file_of_the_package_is_in_the_wheel(wheel):
    copy, names = wheel
    wanted = {
        str(path.relative_to(copy))
        for path in (copy / "evla_ros").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    assert wanted <= names, sorted(wanted - names)


def test_config_files_are_shared(wheel):
    copy, names = wheel
    wanted = {str(path.relative_to(copy)) for path in (copy / "config").rglob("*.*")}
    assert wanted
    shared = {name.partition("/share/evla_ros/")[2] for name in names}
    assert wanted <= shared, sorted(wanted - shared)


def test_the_command_is_installed(wheel):
    assert any(name.endswith("entry_points.txt") for name in wheel[1])
