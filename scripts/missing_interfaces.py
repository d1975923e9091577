# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write the sources of interface packages that this ROS 2 lacks, and print their folders.

Usage: missing_interfaces.py FOLDER OVERLAY. What the PyPI wheels leave out is built into our own
overlay from its fields: a type of the same name and fields is the same type on the wire. A package
that is installed anywhere but in OVERLAY is left alone. Standard library only.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

CMAKE = """\
cmake_minimum_required(VERSION 3.16)
project({name})
find_package(ament_cmake REQUIRED)
find_package(rosidl_default_generators REQUIRED)
find_package({needs} REQUIRED)
rosidl_generate_interfaces(${{PROJECT_NAME}} "{file}" DEPENDENCIES {needs})
ament_export_dependencies(rosidl_default_runtime)
ament_package()
"""
PACKAGE = """\
<?xml version="1.0"?>
<package format="3">
  <name>{name}</name>
  <version>0.0.1</version>
  <description>What evla_ros needs of {name}, where no distribution brings it</description>
  <maintainer email="nobody@example.org">nobody: it is built here and never released</maintainer>
  <license>Apache-2.0</license>
  <buildtool_depend>ament_cmake</buildtool_depend>
  <buildtool_depend>rosidl_default_generators</buildtool_depend>
  <depend>{needs}</depend>
  <exec_depend>rosidl_default_runtime</exec_depend>
  <member_of_group>rosidl_interface_packages</member_of_group>
  <export><build_type>ament_cmake</build_type></export>
</package>
"""
# Package -> file, the package that its fields need, its fields.
INTERFACES = {
    "tf2_msgs": (
        "msg/TFMessage.msg",
        "geometry_msgs",
        "geometry_msgs/TransformStamped[] transforms\n",
    ),
}


def missing(overlay: Path) -> list[str]:
    """Return the packages that are installed nowhere, or in our own overlay alone."""
    prefixes = map(Path, filter(None, os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)))
    others = [prefix for prefix in prefixes if prefix.resolve() != overlay.resolve()]
    return [
        name
        for name in INTERFACES
        if not any((prefix / "share" / name / "package.xml").is_file() for prefix in others)
    ]


def write(name: str, folder: Path) -> Path:
    """Write the sources of a package, unless they are there already; returns its folder."""
    file, needs, fields = INTERFACES[name]
    texts = {
        "CMakeLists.txt": CMAKE.format(name=name, file=file, needs=needs),
        "package.xml": PACKAGE.format(name=name, needs=needs),
        file: fields,
    }
    source = folder / name
    for path, text in texts.items():
        target = source / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.is_file() or target.read_text(encoding="utf-8") != text:
            target.write_text(text, encoding="utf-8")
    return source


def main(folder: str, overlay: str) -> int:
    """Write what is missing and print its folders, one a line."""
    for name in missing(Path(overlay)):
        print(write(name, Path(folder)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
