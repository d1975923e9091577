# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""package.xml, CMakeLists.txt, pyproject.toml and the files they name agree with each other."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import evla_ros

ROOT = Path(__file__).resolve().parents[2]


def _package():
    return ET.parse(ROOT / "package.xml").getroot()


def _rclpy_style_packages(text):
    return set(
        re.findall(r"^\s*(?:from|import) (\w+_msgs|std_srvs|rclpy|tf2_ros)\b", text, re.MULTILINE)
    )


def test_package_xml_is_format_3_and_builds_with_ament_cmake():
    package = _package()
    assert package.get("format") == "3"
    assert package.findtext("name") == "evla_ros"
    assert package.findtext("export/build_type") == "ament_cmake"
    assert package.findtext("member_of_group") == "rosidl_interface_packages"
    assert package.findtext("license") == "Apache-2.0"


def test_the_version_is_in_package_xml_alone():
    version = _package().findtext("version")
    assert evla_ros.__version__ == version
    names = ("evla_ros/__init__.py", "evla_ros/version.py", "setup.py", "CMakeLists.txt")
    files = [*(ROOT / name for name in names), ROOT / "pyproject.toml", *ROOT.glob("*.cff")]
    texts = {path.name: re.sub(r"`[^`]*`", "", path.read_text(encoding="utf-8")) for path in files}
    copy = re.compile(rf"[ =\"]{re.escape(version)}\b")
    assert not [name for name, text in texts.items() if copy.search(text)]


def test_the_changelog_has_the_version_and_a_place_for_what_comes():
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## (.+)$", changes, re.MULTILINE)
    assert heads[0] == "[Unreleased]"
    assert heads[1].startswith(f"[{evla_ros.__version__}] - ")


def test_every_ros_package_that_the_code_imports_is_declared():
    declared = {
        element.text for element in _package() if element.tag.endswith("depend") and element.text
    }
    used = set()
    for path in (ROOT / "evla_ros").rglob("*.py"):
        used |= _rclpy_style_packages(path.read_text(encoding="utf-8"))
    assert "rclpy" in used
    # moveit_msgs is there where MoveIt Servo is, and only a robot with that executor needs it.
    assert used - {"moveit_msgs"} <= declared


def test_every_interface_package_in_the_messages_is_found_by_cmake():
    cmake = (ROOT / "CMakeLists.txt").read_text(encoding="utf-8")
    for path in [p for kind in ("msg", "srv", "action") for p in ROOT.glob(f"{kind}/*.{kind}")]:
        for package in re.findall(r"^(\w+)/\w+", path.read_text(encoding="utf-8"), re.MULTILINE):
            assert f"find_package({package} REQUIRED)" in cmake, path.name


def test_executables_run_the_python_of_the_active_environment():
    """A shebang with a fixed interpreter is the classic "no module named torch" under ros2 run."""
    executables = sorted((ROOT / "bin").iterdir())
    assert {"evla"} <= {path.name for path in executables}
    for path in executables:
        assert path.read_text(encoding="utf-8").startswith("#!/usr/bin/env python3\n"), path.name
        assert path.stat().st_mode & 0o111, f"{path.name} is not executable"


def test_no_second_package_xml_hides_below_the_root():
    """colcon stops at the first package it meets: a nested one would silently never be built."""
    folders = [path for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")]
    nested = [
        str(found.relative_to(ROOT))
        for folder in folders
        if folder.name not in {"build", "install", "log"}
        for found in folder.rglob("package.xml")
    ]
    assert not nested
