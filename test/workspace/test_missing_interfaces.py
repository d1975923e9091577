# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Interface packages that the wheels lack: built, the same on the wire, in nobody's way."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "missing_interfaces.py"


def _missing(folder, overlay, prefixes):
    path = os.pathsep.join(map(str, prefixes))
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), str(overlay)],
        env={**os.environ, "AMENT_PREFIX_PATH": path}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.split()


def test_what_is_installed_elsewhere_is_left_alone(tmp_path):
    overlay, distro = tmp_path / "overlay", tmp_path / "distro"
    for prefix in (overlay, distro):
        (prefix / "share" / "tf2_msgs").mkdir(parents=True)
    assert _missing(tmp_path / "src", overlay, [overlay, distro]), "neither has its package.xml"
    (overlay / "share" / "tf2_msgs" / "package.xml").touch()
    assert _missing(tmp_path / "src", overlay, [overlay, distro]), "our own does not count"
    (distro / "share" / "tf2_msgs" / "package.xml").touch()
    assert _missing(tmp_path / "src", overlay, [overlay, distro]) == []


def test_written_sources_are_not_touched_again(tmp_path):
    (source,) = map(Path, _missing(tmp_path / "src", tmp_path, []))
    before = {path: path.stat().st_mtime_ns for path in source.rglob("*") if path.is_file()}
    assert {path.name for path in before} == {"CMakeLists.txt", "package.xml", "TFMessage.msg"}
    _missing(tmp_path / "src", tmp_path, [])
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_the_built_type_is_the_one_that_others_have():
    """By the hash of its fields, which subscribers of newer distributions compare."""
    from evla_ros.data.bags.definitions import definition_of

    spec = importlib.util.find_spec("tf2_msgs")
    if spec is None or spec.origin is None:
        pytest.skip("tf2_msgs is not built: `make build`")
    files = list(Path(spec.origin).parents[4].glob("share/tf2_msgs/msg/TFMessage.json"))
    if not files:
        pytest.skip("this ROS 2 writes no type hashes (Humble)")
    types = json.loads(files[0].read_text(encoding="utf-8"))["type_hashes"]
    found = {entry["type_name"]: entry["hash_string"] for entry in types}
    assert found["tf2_msgs/msg/TFMessage"] == definition_of("tf2_msgs/msg/TFMessage").type_hash
