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
from installation import installation

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy, so that the checkout stays clean."""
    copy = tmp_path_factory.mktemp("wheel") / "evla_ros"
    copy.mkdir()
    for name in ("setup.py", "pyproject.toml", "README.md", "package.xml", "LICENSE"):
        shutil.copy(ROOT / name, copy / name)
    for folder in ("evla_ros", "config", "checkpoints", "launch", "msg", "srv", "resource"):
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
    file = next(copy.parent.glob("*.whl"))
    with zipfile.ZipFile(file) as archive:
        return copy, set(archive.namelist()), file


def test_every_module_and_data_file_of_the_package_is_in_the_wheel(wheel):
    copy, names, _ = wheel
    expected = {
        str(path.relative_to(copy))
        for path in (copy / "evla_ros").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    assert expected <= names, sorted(expected - names)


@pytest.mark.parametrize("folder", ["config", "checkpoints", "launch", "msg", "srv"])
def test_the_files_that_are_no_python_are_shared(wheel, folder):
    copy, names, _ = wheel
    files = [path for path in (copy / folder).rglob("*") if path.is_file()]
    expected = {str(path.relative_to(copy)) for path in files}
    assert expected
    shared = {name.partition("/share/evla_ros/")[2] for name in names}
    assert expected <= shared, sorted(expected - shared)


def test_every_default_path_is_found_and_read_without_ros(wheel, tmp_path):
    prefix, scratch = tmp_path / "prefix", tmp_path / "scratch"
    scratch.mkdir()
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*command, "--target", str(prefix), str(wheel[2])], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    found = installation(prefix, prefix, scratch, guarded=True).default_paths(tmp_path)
    paths = [path for group in found.values() for path in group]
    assert all(found.values())
    assert [path for path in paths if prefix not in path.parents] == []


def test_the_command_is_installed(wheel):
    assert any(name.endswith("entry_points.txt") for name in wheel[1])
