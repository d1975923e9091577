# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The wheel that pip builds holds every module and every file the modules read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import xml.etree.ElementTree as ET
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
    for folder in ("evla_ros", "config", "checkpoints", "launch", "msg", "srv", "action"):
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


@pytest.mark.parametrize("folder", ["config", "checkpoints", "launch", "msg", "srv", "action"])
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


@pytest.fixture(scope="module")
def empty_environment(wheel, tmp_path_factory):
    """A new virtual environment with the wheel; libraries are this one's, ROS 2 is hidden."""
    folder = tmp_path_factory.mktemp("environment")
    make = [sys.executable, "-m", "venv", "--without-pip", str(folder)]
    subprocess.run(make, check=True, capture_output=True)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    done = subprocess.run(
        [*pip, "--no-deps", "--no-index", str(wheel[2])],
        env={**os.environ, "PYTHONPATH": ""}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    # A line of a .pth is a folder to import from; the .pth files in that folder are not read.
    site = next(folder.glob("lib/python*/site-packages"))
    (site / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n", encoding="utf-8")
    (site / "rclpy.py").write_text("raise ModuleNotFoundError('no rclpy', name='rclpy')\n")
    return folder


@pytest.fixture
def evla(empty_environment, tmp_path):
    """The installed command, which knows nothing of the checkout and of ROS 2."""
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}

    def run(*words, code=0):
        done = subprocess.run(
            [str(empty_environment / "bin" / "evla"), *words],
            env=environment, cwd=tmp_path, capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    return run


def test_the_installed_command_knows_its_version_and_its_files(evla, empty_environment):
    version = ET.parse(ROOT / "package.xml").getroot().findtext("version")
    assert evla("--version") == f"evla_ros {version}\n"
    program = "import evla_ros.shared_files as files; print(files.shared_root())"
    done = subprocess.run(
        [str(empty_environment / "bin" / "python"), "-c", program],
        env={"PATH": "/usr/bin:/bin"}, cwd="/", capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert Path(done.stdout.strip()) == empty_environment / "share" / "evla_ros"


def test_doctor_says_what_an_installation_without_ros_lacks(evla):
    assert "rclpy" in evla("doctor", code=1)


@pytest.mark.timeout(300)
def test_bags_become_a_dataset_and_the_shipped_policy_is_scored_without_ros(
    evla, empty_environment, tmp_path
):
    for library in ("mujoco", "torch"):
        pytest.importorskip(library, reason=f"{library} is not installed: `make build`")
    evla("record", "--world", "tabletop_arm", "--episodes", "1", "--out", "recordings")
    bag = next((tmp_path / "recordings").glob("seed_*"))
    assert "tabletop_arm" in evla("inspect", str(bag.relative_to(tmp_path)))
    evla("convert", "recordings", "--out", "datasets")
    evla("dataset", "doctor", "datasets/tabletop_arm")
    shipped = empty_environment / "share" / "evla_ros" / "checkpoints" / "tabletop_arm"
    asked = ("--tasks", "reach", "--episodes", "1", "--baselines", "hold", "--max-seconds", "4")
    evla("eval", "sim", "--policy", str(shipped), *asked, "--out", "scores")
    assert (tmp_path / "scores" / "report.json").is_file()
