# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Install the Python package without ROS; colcon builds the ROS package from CMakeLists.txt instead."""

from pathlib import Path

from setuptools import find_packages, setup


def _data_files() -> list[tuple[str, list[str]]]:
    rows = [("share/evla_ros", ["package.xml"])]
    for folder in ("config", "launch"):
        for path in sorted(Path(folder).rglob("*")):
            if path.is_file() and path.suffix in {".yaml", ".py", ".xml"}:
                rows.append((f"share/evla_ros/{path.parent}", [str(path)]))
    return rows


setup(
    packages=find_packages(include=["evla_ros", "evla_ros.*"]),
    package_data={"": ["*.xml", "*.yaml", "*.json", "*.html", "*.js", "*.css", "*.txt"]},
    data_files=_data_files(),
)
