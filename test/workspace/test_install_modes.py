# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""colcon installs copies or links of the files, and either works without the checkout."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from installation import ROOT, Installation, installation

pytestmark = pytest.mark.timeout(600)
copied_only = pytest.mark.parametrize("installed", ["copied"], indirect=True)
PROGRAM = """
import evla_ros, evla_ros.msg, evla_ros.srv, evla_ros.cli.main
assert evla_ros.__version__, "the generated, empty __init__ won"
assert evla_ros.msg.PolicyStatus.REASON_ESTOP
print(evla_ros.__file__)
"""


@pytest.fixture(scope="module")
def build_folder(tmp_path_factory):
    """Share the compiled code: only the installation differs."""
    return tmp_path_factory.mktemp("build")


@pytest.fixture(scope="module", params=["copied", "linked"])
def installed(request, build_folder, tmp_path_factory):
    """Build and install the checkout; only what is copied has to do without it."""
    if shutil.which("colcon") is None or "AMENT_PREFIX_PATH" not in os.environ:
        pytest.skip("no ROS 2 build tools in this shell: `make build` and `. ./env.sh`")
    links = request.param == "linked"
    folder = tmp_path_factory.mktemp(request.param)
    prefix = folder / "install"
    # Its folder cannot become a link, nor the other way round; all that was compiled stays.
    shutil.rmtree(build_folder / "evla_ros" / "ament_cmake_python", ignore_errors=True)
    command = ["colcon", "--log-base", str(folder / "log"), "build", "--base-paths", str(ROOT)]
    command += ["--build-base", str(build_folder), "--install-base", str(prefix)]
    command += ["--merge-install", *(["--symlink-install"] if links else [])]
    command += ["--cmake-args", f"-DPython3_EXECUTABLE={sys.executable}", "-DBUILD_TESTING=OFF"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    site = next(prefix.glob("**/*-packages"))
    assert (site / "evla_ros" / "errors.py").is_symlink() == links
    scratch = folder / "scratch"
    scratch.mkdir()
    return installation(site, prefix, scratch, guarded=not links)


def test_the_package_and_its_interfaces_are_imported(installed: Installation, tmp_path):
    done = installed.python("-c", PROGRAM, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(installed.site)


def test_every_default_path_is_found_and_read(installed: Installation, tmp_path):
    found = installed.default_paths(tmp_path)
    assert all(found.values()), found
    home = ROOT if (installed.site / "evla_ros" / "errors.py").is_symlink() else installed.prefix
    elsewhere = [path for paths in found.values() for path in paths if home not in path.parents]
    package = Path(found["package"][0])
    assert [path for path in elsewhere if path != package] == []


@copied_only
def test_a_copy_that_reads_the_checkout_is_caught(installed: Installation, tmp_path):
    done = installed.python("-c", f"open({str(ROOT / 'README.md')!r})", folder=tmp_path)
    assert "an installed package reads the checkout" in done.stderr


@copied_only
def test_the_whole_nano_recipe_runs(installed: Installation, tmp_path):
    sizes = ["--record=1", "--episodes=1", "--vision-steps=1", "--steps=1", "--rounds=0"]
    words = ["-m", "evla_ros", "train", "nano", "out", *sizes, "--processes=1"]
    done = installed.python(*words, "--record-via=lockstep", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / done.stdout.split()[-1] / "model.safetensors").is_file()


@copied_only
def test_adaptation_collects_and_trains(installed: Installation, tmp_path):
    """Two demonstrations: one to learn from, one to score on."""
    sizes = ["--tasks", "lift", "--demonstrations", "2", "--relabels", "1", "--episodes", "1"]
    words = ["-m", "evla_ros", "train", "adapt", "out", *sizes, "--processes", "1"]
    changes = ["optimizer.steps=1", "optimizer.batch=2", "optimizer.precision=fp32"]
    done = installed.python(*words, *changes, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.glob("out/**/model.safetensors"))


def test_launch_files_config_and_executables_are_installed(installed: Installation):
    share = installed.prefix / "share" / "evla_ros"
    for folder in ("launch", "config", "checkpoints", "msg", "srv", "action"):
        expected = {
            str(path.relative_to(ROOT))
            for path in (ROOT / folder).rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        found = {str(path.relative_to(share)) for path in (share / folder).rglob("*")}
        assert expected <= found, f"not installed: {sorted(expected - found)}"
    executables = {path.name for path in (installed.prefix / "lib" / "evla_ros").iterdir()}
    assert executables >= {path.name for path in (ROOT / "bin").iterdir()}
