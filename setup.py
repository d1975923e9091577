# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Install the Python package without ROS; colcon builds from CMakeLists.txt instead."""

import re
from pathlib import Path

from setuptools import find_packages, setup


def _data_files() -> list[tuple[str, list[str]]]:
    rows = [("share/evla_ros", ["package.xml"])]
    for folder in ("config", "launch", "checkpoints", "msg", "srv", "action"):
        files = [path for path in sorted(Path(folder).rglob("*")) if path.is_file()]
        rows += [
            (f"share/evla_ros/{path.parent}", [str(path)])
            for path in files
            if path.suffix != ".pyc"
        ]
    return rows


def _version() -> str:
    """Return what package.xml says: the one place of the version."""
    found = re.search(r"<version>(.+)</version>", Path("package.xml").read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit("package.xml has no <version>")
    return found.group(1)


setup(
    version=_version(),
    packages=find_packages(include=["evla_ros", "evla_ros.*"]),
    package_data={"evla_ros": ["**/*"]},
    exclude_package_data={"": ["*.pyc"]},
    data_files=_data_files(),
)
