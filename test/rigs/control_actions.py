# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Build the gripper actions of control_msgs from their fields, for tests where it is not installed.

The fields are those that ros-controls/control_msgs documents for GripperCommand and
ParallelGripperCommand; a type of the same name and fields is the same type on the wire.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project(control_msgs)
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
find_package(action_msgs REQUIRED)
find_package(sensor_msgs REQUIRED)
rosidl_generate_interfaces(${PROJECT_NAME}
  "msg/GripperCommand.msg" "action/GripperCommand.action" "action/ParallelGripperCommand.action"
  DEPENDENCIES action_msgs sensor_msgs)
ament_export_dependencies(rosidl_default_runtime)
ament_package()
"""
PACKAGE = """\
<?xml version="1.0"?>
<package format="3">
  <name>control_msgs</name>
  <version>0.0.1</version>
  <description>Two actions, for tests alone</description>
  <maintainer email="nobody@example.org">nobody</maintainer>
  <license>Apache-2.0</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  <depend>action_msgs</depend>
  <depend>sensor_msgs</depend>
  <exec_depend>rosidl_default_runtime</exec_depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export><build_type>ament_cmake</build_type></export>
</package>
"""
_FOUND = "float64 position\nfloat64 effort\nbool stalled\nbool reached_goal\n"
FILES = {
    "CMakeLists.txt": CMAKE,
    "package.xml": PACKAGE,
    "msg/GripperCommand.msg": "float64 position\nfloat64 max_effort\n",
    "action/GripperCommand.action": f"GripperCommand command\n---\n{_FOUND}---\n{_FOUND}",
    "action/ParallelGripperCommand.action": (
        "sensor_msgs/JointState command\n---\n"
        "sensor_msgs/JointState state\nbool stalled\nbool reached_goal\n---\n"
        "sensor_msgs/JointState state\n"
    ),
}


def build(folder: Path) -> Path | None:
    """Build the package with colcon; returns the prefix to add, None where colcon is missing."""
    if shutil.which("colcon") is None:
        return None
    for name, text in FILES.items():
        target = folder / "control_msgs" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    prefix = folder / "install"
    command = [
        "colcon", "--log-base", str(folder / "log"), "build", "--base-paths",
        str(folder / "control_msgs"), "--build-base", str(folder / "build"), "--install-base",
        str(prefix), "--merge-install", "--cmake-args", f"-DPython3_EXECUTABLE={sys.executable}",
        "-DBUILD_TESTING=OFF",
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return prefix


def environment(prefix: Path) -> dict[str, str]:
    """Return this process's environment with the built package in it."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    added = {
        "AMENT_PREFIX_PATH": prefix,
        "LD_LIBRARY_PATH": prefix / "lib",
        "PYTHONPATH": prefix / "lib" / version / "site-packages",
    }
    return {
        **os.environ,
        **{name: f"{path}{os.pathsep}{os.environ.get(name, '')}" for name, path in added.items()},
    }
