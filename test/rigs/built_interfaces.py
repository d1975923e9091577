# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Interfaces of other packages, built from their definitions where no distro brings them."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CMAKE = """
cmake_minimum_required(VERSION 3.16)
project({name})
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
find_package(geometry_msgs REQUIRED)
rosidl_generate_interfaces(${{PROJECT_NAME}} "{file}" DEPENDENCIES geometry_msgs)
ament_package()
"""
PACKAGE = """<?xml version="1.0"?>
<package format="3"><name>{name}</name><version>0.0.1</version>
<description>one interface</description>
<maintainer email="nobody@example.invalid">nobody</maintainer><license>BSD-3-Clause</license>
<buildtool_depend>ament_cmake</buildtool_depend>
<buildtool_depend>rosidl_default_generators</buildtool_depend>
<depend>geometry_msgs</depend><exec_depend>rosidl_default_runtime</exec_depend>
<member_of_group>rosidl_interface_packages</member_of_group>
<export><build_type>ament_cmake</build_type></export></package>
"""
SERVO = "int8 JOINT_JOG = 0\nint8 TWIST = 1\nint8 POSE = 2\nint8 command_type\n---\nbool success\n"
INTERFACES = {
    "moveit_msgs": ("srv/ServoCommandType.srv", SERVO),
}


def environment_with_all(folder: Path) -> dict[str, str]:
    """Return an environment in which every interface can be imported; what is missing is built."""
    missing = [package for package in INTERFACES if importlib.util.find_spec(package) is None]
    if not missing:
        return dict(os.environ) | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    if shutil.which("colcon") is None:
        pytest.skip(f"{missing} are not installed and there is no colcon to build their interfaces")
    for package in missing:
        _write(package, folder / "source" / package)
    install = folder / "install"
    places = ["--base-paths", str(folder / "source"), "--build-base", str(folder / "build")]
    places += ["--install-base", str(install), "--merge-install"]
    cmake = ["--cmake-args", f"-DPython3_EXECUTABLE={sys.executable}", "-DBUILD_TESTING=OFF"]
    done = subprocess.run(
        ["colcon", "--log-base", str(folder / "log"), "build", *places, *cmake],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    (site,) = install.glob("lib/python*/site-packages")
    return {
        **os.environ,
        "AMENT_PREFIX_PATH": _before(install, "AMENT_PREFIX_PATH"),
        "LD_LIBRARY_PATH": _before(install / "lib", "LD_LIBRARY_PATH"),
        "PYTHONPATH": os.pathsep.join([str(site), *filter(None, sys.path)]),
    }


def _write(package: str, source: Path) -> None:
    file, definition = INTERFACES[package]
    (source / file).parent.mkdir(parents=True)
    (source / "CMakeLists.txt").write_text(CMAKE.format(name=package, file=file))
    (source / "package.xml").write_text(PACKAGE.format(name=package))
    (source / file).write_text(definition)


def _before(path: Path, variable: str) -> str:
    return os.pathsep.join(filter(None, [str(path), os.environ.get(variable, "")]))


def use(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the processes that a test starts have this environment (and the test its own domain)."""
    for name in ("AMENT_PREFIX_PATH", "LD_LIBRARY_PATH", "PYTHONPATH"):
        monkeypatch.setenv(name, environment.get(name, ""))
    monkeypatch.setattr(sys, "path", environment["PYTHONPATH"].split(os.pathsep))
