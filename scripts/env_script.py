# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write `<venv>/evla_env.sh`, which gives a shell Python, ROS 2 and the built package."""

from __future__ import annotations

from pathlib import Path

COMMON = """\
# Written by scripts/env_script.py; `. ./env.sh` reads it.
export VIRTUAL_ENV="{venv}"
export PATH="{venv}/bin:$PATH"
"""
WHEELS = """\
export EVLA_WHEELS_ENV="{venv}"
export ROS_DISTRO={distro} ROS_VERSION=2 ROS_PYTHON_VERSION=3
export AMENT_PREFIX_PATH="{install}:{venv}"
export CMAKE_PREFIX_PATH="{install}:{venv}"
export LD_LIBRARY_PATH="{libraries}"
export PYTHONPATH="{root}:{site}"
# The libraries are found already, so the wheels need not start the interpreter a second time.
export _ROS_WHEELS_BOOTSTRAP_COMPLETE=1
: "${{ROS_AUTOMATIC_DISCOVERY_RANGE:=LOCALHOST}}"
export ROS_AUTOMATIC_DISCOVERY_RANGE
"""
SOURCED = """\
[ -n "${{AMENT_PREFIX_PATH:-}}" ] || . /opt/ros/{distro}/setup.sh
if [ -f "{install}/local_setup.sh" ]; then
  COLCON_CURRENT_PREFIX="{install}"
  . "{install}/local_setup.sh"
  unset COLCON_CURRENT_PREFIX
fi
export PYTHONPATH="{root}${{PYTHONPATH:+:$PYTHONPATH}}"
"""


def install_folder(venv: Path, root: Path) -> Path:
    """Return where colcon installs the package for this environment."""
    return root / "install" / venv.name.strip(".")


def write(venv: Path, root: Path, *, distro: str, wheels: bool) -> None:
    """Write the script for an environment whose ROS 2 is `distro`, from wheels or sourced."""
    install = install_folder(venv, root)
    python = next((venv / "lib").glob("python3.*")).name
    site = install / "lib" / python / "site-packages"
    folders = [
        install / "lib",
        venv / "lib",
        *(venv / "lib" / python / "site-packages").glob("ros_*.libs"),
    ]
    text = (COMMON + (WHEELS if wheels else SOURCED)).format(
        venv=venv,
        install=install,
        root=root,
        site=site,
        distro=distro,
        libraries=":".join(map(str, folders)),
    )
    (venv / "evla_env.sh").write_text(text, encoding="utf-8")
