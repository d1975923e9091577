# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who may import whom: core knows neither ROS nor torch, and nobody reaches into an outer ring."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "evla_ros"
CORE = ("embodiment", "geometry", "control", "data", "policy")
BLOCKED = ("rclpy", "torch", "tensorflow", "mujoco", "transformers", "cv2", "rosbags", "launch")
# What each folder may import from the package, besides itself and errors.
ALLOWED = {
    **{ring: set(CORE) for ring in CORE},
    "model": {*CORE},
    "training": {*CORE, "model", "sim", "bench"},
    "serving": {*CORE, "model"},
    "sim": {*CORE, "model", "serving", "bench"},
    "bench": {*CORE, "model", "training", "serving", "sim", "ros", "cli", "demo"},
    "doctor": {*CORE, "bench", "sim"},
    "console": {*CORE},
    "ros": {*CORE, "model", "serving", "sim", "console", "bench"},
}
# Doors, opened inside a function: from core to the network when a checkpoint is loaded, and from
# the evaluation and the parity gate to the real nodes when they are asked to run through them.
DOORS = {
    ("policy/evla_policy.py", "model"),
    ("sim/evaluation/workers.py", "ros"),
    ("training/evaluation/parity.py", "ros"),
}


def _modules(folder):
    return sorted(path for path in (PACKAGE / folder).rglob("*.py"))


def _imports(path):
    """Return the evla_ros folders that a file imports, at whatever depth."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "evla_ros":
                names = [f"evla_ros.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "evla_ros" and len(parts) > 1:
                yield parts[1]


@pytest.mark.parametrize("ring", CORE)
def test_core_imports_with_everything_else_blocked(ring):
    """Each module of the ring is imported in a process where the outer libraries do not exist."""
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in _modules(ring)]
    names = [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]
    assert len(names) > 1
    program = (
        "import importlib, sys\n"
        f"for name in {BLOCKED!r}: sys.modules[name] = None\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("ring", sorted(ALLOWED))
def test_a_ring_imports_only_the_rings_it_may(ring):
    known = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    wrong = [
        f"{path.relative_to(ROOT)} imports evla_ros.{target}"
        for path in _modules(ring)
        for target in _imports(path)
        if target in known and target != ring and target not in ALLOWED[ring]
        if (str(path.relative_to(PACKAGE)), target) not in DOORS
    ]
    assert not wrong, "\n".join(wrong)
