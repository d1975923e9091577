# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The scripts behind make: what they refuse, in one sentence, and what they write."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"
sys.path.insert(0, str(SCRIPTS))
import env_script  # noqa: E402
import torch_guard  # noqa: E402
import wheel_paths  # noqa: E402

TOOLS = ("sh", "id", "uname", "mktemp", "rm", "tail")


def _program(path, text):
    path.write_text(text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@pytest.fixture
def bare_path(tmp_path):
    """Return a PATH with a Python and a few tools, and no compiler."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in TOOLS:
        (folder / tool).symlink_to(shutil.which(tool))
    (folder / "python3").symlink_to(Path(sys.executable).resolve())
    return folder


def _preflight(path, python="python3", **environment):
    return subprocess.run(
        ["sh", str(SCRIPTS / "preflight.sh"), python],
        env={"PATH": str(path), "EVLA_NO_APT": "1", **environment},
        capture_output=True,
        text=True,
    )


def _one_sentence(done):
    assert done.returncode == 1
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("error: ")
    return lines[0]


def test_this_machine_passes():
    done = _preflight(os.environ["PATH"], sys.executable)
    assert done.returncode == 0, done.stderr


def test_without_a_browser_the_set_up_goes_on_and_says_so(tmp_path):
    tools = ("sh", "id", "uname", "mktemp", "rm", "tail", "cc", "c++")
    for tool in tools:
        (tmp_path / tool).symlink_to(shutil.which(tool))
    done = subprocess.run(
        ["sh", str(SCRIPTS / "preflight.sh"), sys.executable, "browser"],
        env={"PATH": str(tmp_path), "EVLA_NO_APT": "1"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "tests of the console's page are skipped" in done.stderr


def test_a_missing_compiler_is_named_with_its_package(bare_path):
    assert "sudo apt install build-essential" in _one_sentence(_preflight(bare_path))


def test_a_missing_python_is_named(bare_path):
    assert "there is no python3.99" in _one_sentence(_preflight(bare_path, "python3.99"))


def test_an_old_python_is_refused_with_the_supported_versions(bare_path):
    old = _program(bare_path / "python3.8", "#!/bin/sh\necho 3.8\n")
    assert "Python 3.8, and evla_ros needs 3.10 to 3.14" in _one_sentence(
        _preflight(bare_path, str(old))
    )


def test_an_architecture_without_wheels_is_refused_unless_a_distro_is_sourced(bare_path):
    (bare_path / "uname").unlink()
    _program(bare_path / "uname", '#!/bin/sh\n[ "$1" = -m ] && echo riscv64 || echo Linux\n')
    assert "this machine is riscv64" in _one_sentence(_preflight(bare_path))
    assert "compiler" in _one_sentence(_preflight(bare_path, ROS_DISTRO="jazzy"))


def _pip_that_would_install(tmp_path, *names):
    report = json.dumps({"install": [{"metadata": {"name": name}} for name in names]})
    (tmp_path / "report.json").write_text(report, encoding="utf-8")
    return _program(tmp_path / "python", f"#!/bin/sh\ncat '{tmp_path}/report.json'\n")


def test_cuda_packages_are_refused_with_the_way_out(tmp_path, monkeypatch):
    monkeypatch.delenv("EVLA_CUDA", raising=False)
    pip = _pip_that_would_install(tmp_path, "torch", "nvidia-cublas", "nvidia-cudnn-cu13", "triton")
    with pytest.raises(torch_guard.CudaWheelsError, match="2 CUDA packages.*PIP_FIND_LINKS"):
        torch_guard.check(pip, "torch==2.13.0")
    monkeypatch.setenv("EVLA_CUDA", "1")
    torch_guard.check(pip, "torch==2.13.0")


def test_the_cpu_wheel_passes_the_guard(tmp_path, monkeypatch):
    monkeypatch.delenv("EVLA_CUDA", raising=False)
    torch_guard.check(_pip_that_would_install(tmp_path, "torch", "sympy"), "torch==2.13.0")


def test_folders_of_the_build_machine_become_this_python_and_numpy(tmp_path):
    (tmp_path / "bin").mkdir()
    _program(tmp_path / "bin" / "python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    folder = tmp_path / "share" / "some_msgs" / "cmake"
    folder.mkdir(parents=True)
    built = "/opt/python/cp311-cp311"
    numpy = f"{built}/lib/python3.11/site-packages/numpy/_core/include"
    (folder / "a.cmake").write_text(f'DIRS "{built}/include/python3.11;{numpy}"\n')
    (folder / "b.cmake").write_text("nothing here\n")
    assert wheel_paths.repair(tmp_path) == 1
    include = sysconfig.get_paths()["include"]
    assert (folder / "a.cmake").read_text() == f'DIRS "{include};{np.get_include()}"\n'
    assert wheel_paths.repair(tmp_path) == 0


@pytest.mark.parametrize("wheels", [True, False])
def test_the_environment_script_puts_the_checkout_before_the_installed_package(tmp_path, wheels):
    venv = tmp_path / ".venv"
    (venv / "lib" / "python3.11" / "site-packages" / "ros_rcl.libs").mkdir(parents=True)
    env_script.write(venv, tmp_path, distro="jazzy", wheels=wheels)
    program = f'. "{venv}/evla_env.sh" && echo "$PYTHONPATH" && echo "$PATH"'
    done = subprocess.run(
        ["sh", "-c", program],
        env={"PATH": "/usr/bin:/bin", "AMENT_PREFIX_PATH": "/opt/ros/jazzy"},
        capture_output=True,
        text=True,
        check=True,
    )
    python_path, path = done.stdout.splitlines()
    assert python_path.split(":")[0] == str(tmp_path)
    assert path.startswith(f"{venv}/bin:")


def test_what_make_built_can_be_imported():
    """Tests of ROS skip where ROS is not installed; after `make build` it has to be."""
    if "EVLA_WHEELS_ENV" not in os.environ:
        pytest.skip("this shell has not sourced env.sh")
    program = "import rclpy, evla_ros.msg, evla_ros.srv, sensor_msgs.msg"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
