# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every file of the repository owes its reader."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEADER = (
    "# SPDX-FileCopyrightText: 2026 The evla_ros authors",
    "# SPDX-License-Identifier: Apache-2.0",
)
# Calls whose first argument after the type, or second argument, is a ROS name.
ROS_NAMES = {"create_publisher", "create_subscription", "create_service", "create_client"}


def _tracked(pattern):
    done = subprocess.run(
        ["git", "ls-files", "--cached", pattern], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode != 0:
        pytest.skip("this is no git checkout")
    return [ROOT / name for name in done.stdout.splitlines() if (ROOT / name).is_file()]


WITH_HEADER = (
    "*.py",
    "*.sh",
    "bin/*",
    ".ci/*",
    ".github/workflows/*",
    "Makefile",
    "CMakeLists.txt",
)


@pytest.mark.parametrize("pattern", WITH_HEADER)
def test_every_program_has_the_licence_header(pattern):
    files = _tracked(pattern)
    assert files
    wrong = []
    for path in files:
        lines = path.read_text(encoding="utf-8").splitlines()
        if lines and lines[0].startswith("#!"):
            lines = lines[1:]
        if tuple(lines[:2]) != HEADER:
            wrong.append(str(path.relative_to(ROOT)))
    assert not wrong, f"no SPDX header: {wrong}"


def test_licence_text_is_complete():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "9. Accepting Warranty or Additional Liability" in text
    assert len(text.splitlines()) > 170


def test_no_ros_name_in_the_code_is_absolute():
    """A name that starts with a slash ignores the namespace, and two robots would meet on it."""
    wrong = []
    for path in _tracked("evla_ros/ros/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in ROS_NAMES:
                continue
            values = [argument for argument in node.args if isinstance(argument, ast.Constant)]
            wrong += [
                f"{path.relative_to(ROOT)}:{node.lineno} {value.value}"
                for value in values
                if isinstance(value.value, str)
                and value.value.startswith("/")
                and value.value not in {"/clock", "/diagnostics", "/tf", "/tf_static"}
            ]
    assert not wrong, "\n".join(wrong)


def test_no_embodiment_topic_is_absolute():
    files = list((ROOT / "config" / "embodiments").glob("*.yaml"))
    assert files
    for path in files:
        text = path.read_text(encoding="utf-8")
        topics = re.findall(r"(?:topic|command|state):\s*([^\s,}#]+)", text)
        assert topics, path.name
        assert not [topic for topic in topics if topic.startswith("/")], path.name


def test_no_path_of_one_machine_is_in_the_repository():
    pattern = "|".join(["/" + "work/", "/" + "root/", r"\." + "pyenv", "/" + "tmp/dev"])
    done = subprocess.run(
        ["git", "grep", "-nIE", pattern, "--", "."], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stdout or done.stderr
