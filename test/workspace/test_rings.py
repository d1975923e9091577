# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who may import whom: every folder has its ring, nobody imports a higher one, nothing circles."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from import_graph import circles, imports_of, upward

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "evla_ros"
CORE = ("reading", "embodiment", "geometry", "control", "data", "policy")
BLOCKED = ("rclpy", "torch", "tensorflow", "mujoco", "transformers", "cv2", "rosbags", "launch")
# Bottom to top; what shares a row does not import each other.
RINGS = (
    ("errors", "interruption", "machine", "options", "units", "worker_process"),
    ("reading", "requirements", "settings_errors", "shared_files"),
    ("geometry", "version"),
    ("embodiment",),
    ("data",),
    ("policy",),
    ("control",),
    ("model",),
    ("training", "sim", "serving"),
    ("recipes", "ros"),
    ("console",),
    ("bench", "demo", "doctor"),
    ("cli",),
    ("__main__",),
)
# Core runs a checkpoint by importing the network where one is built: in a process that may have
# nothing else, from a PolicySpec that came as text.
DOORS = {("policy.evla_policy", "model")}
OVER_ALL = ("bench", "demo", "doctor")


@pytest.fixture(scope="module")
def imports():
    return imports_of(PACKAGE)


@pytest.mark.parametrize("ring", CORE)
def test_core_imports_with_everything_else_blocked(ring):
    """Each module of the ring is imported in a process where the outer libraries do not exist."""
    paths = sorted((PACKAGE / ring).rglob("*.py"))
    names = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths]
    names = [name.removesuffix(".__init__") for name in names if not name.endswith("__main__")]
    assert len(names) > 1
    program = (
        "import importlib, sys\n"
        f"for name in {BLOCKED!r}: sys.modules[name] = None\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_folder_and_module_has_a_ring_and_every_ring_exists():
    there = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    there |= {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert {ring for row in RINGS for ring in row} == there


def test_nobody_imports_a_higher_ring(imports):
    wrong = upward(imports, RINGS, DOORS)
    assert not wrong, "\n".join(wrong)


def test_core_imports_only_core(imports):
    ground = {name for row in RINGS[:2] for name in row}
    wrong = [
        f"{source} imports {target}"
        for source, target in imports
        if source.split(".")[0] in CORE and target.split(".")[0] not in {*CORE, *ground}
        if (source, target.split(".")[0]) not in DOORS
    ]
    assert not wrong, "\n".join(wrong)


def test_every_door_is_used(imports):
    used = {(source, target.split(".")[0]) for source, target in imports}
    assert used >= DOORS, "a door that nobody uses: remove it"


def test_what_looks_at_all_rings_is_imported_by_cli_alone(imports):
    wrong = [
        f"{source} imports {target}"
        for source, target in imports
        if target.split(".")[0] in OVER_ALL
        and source.split(".")[0] not in ("cli", target.split(".")[0])
    ]
    assert not wrong, "\n".join(wrong)


def test_no_modules_import_each_other_in_a_circle(imports):
    """Not even for typing: what two modules share goes into a third one."""
    found = circles(imports)
    assert not found, "\n".join(" -> ".join(circle) for circle in found)


@pytest.fixture
def house(tmp_path):
    """A package of two rings, to which each test adds what a newcomer might add."""
    package = tmp_path / "house"
    for name in ("low", "high"):
        (package / name).mkdir(parents=True)
        (package / name / "__init__.py").touch()
    (package / "__init__.py").touch()
    (package / "low" / "stone.py").write_text("SIZE = 1\n")
    (package / "high" / "roof.py").write_text("from house.low import stone\n")
    return package


ROWS = (("low",), ("high",))


def test_a_sound_house_passes(house):
    assert [tuple(i) for i in imports_of(house)] == [("high.roof", "low.stone")]
    assert upward(imports_of(house), ROWS, set()) == []
    assert circles(imports_of(house)) == []


@pytest.mark.parametrize(
    "line",
    [
        "from house.high.roof import TILES\n",
        "import house.high.roof\n",
        "from house.high import roof\n",
        "from house import high\n",
        "def later():\n    from house.high import roof\n",
        "if TYPE_CHECKING:\n    from house.high.roof import Tile\n",
    ],
)
def test_an_import_to_a_higher_ring_is_found(house, line):
    (house / "low" / "stone.py").write_text(line)
    (sentence,) = upward(imports_of(house), ROWS, set())
    assert sentence.startswith("low.stone imports high")
    assert upward(imports_of(house), ROWS, {("low.stone", "high")}) == []


def test_a_folder_without_a_ring_and_a_neighbour_are_found(house):
    (house / "porch").mkdir()
    (house / "porch" / "step.py").write_text("from house.low.stone import SIZE\n")
    assert "'porch' has no place" in upward(imports_of(house), ROWS, set())[0]
    assert upward(imports_of(house), (("low", "high", "porch"),), set())


@pytest.mark.parametrize(
    "line",
    [
        "from house.low.mortar import MIX\n",
        "def later():\n    from house.low.mortar import MIX\n",
        "if TYPE_CHECKING:\n    from house.low.mortar import Mix\n",
    ],
)
def test_a_circle_is_found(house, line):
    (house / "low" / "mortar.py").write_text("from house.low.sand import GRAIN\n")
    (house / "low" / "sand.py").write_text("from house.low.stone import SIZE\n")
    (house / "low" / "stone.py").write_text(line)
    assert circles(imports_of(house)) == [["low.mortar", "low.sand", "low.stone"]]


def test_the_map_for_developers_shows_the_rings():
    text = (ROOT / "docs" / "developing.md").read_text(encoding="utf-8")
    table = text.partition("## The rings")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `evla_ros/")]
    shown = [set(re.findall(r"`evla_ros/(\w+)`", row)) for row in rows]
    folders = [{name for name in row if (ROOT / "evla_ros" / name).is_dir()} for row in RINGS]
    assert shown == [row for row in folders if row]
