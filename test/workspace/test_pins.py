# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pins of requirements/: complete, with hashes, and what pyproject.toml asks for.

That pip takes them is seen by `make` itself, which installs from nothing else.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import bootstrap  # noqa: E402

tomllib = pytest.importorskip("tomllib", reason="Python 3.10 has no reader of TOML")
FILES = sorted((ROOT / "requirements").glob("*.txt"))
RANGES = "tfds.txt"
TORCH = "-torch.txt"
PIN = re.compile(r"^([\w.-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})*)$", re.MULTILINE)
SETS = sorted({path.name.removesuffix(TORCH) for path in FILES if path.name.endswith(TORCH)})
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def _pins(path):
    """Return the versions of a file and of those that it includes."""
    text = path.read_text(encoding="utf-8")
    versions = {name: version for name, version, _ in PIN.findall(text)}
    for included in re.findall(r"^-r (\S+)$", text, re.MULTILINE):
        more = _pins(path.parent / included)
        assert not versions.keys() & more.keys(), "pinned twice"
        versions |= more
    return {canonicalize_name(name): version for name, version in versions.items()}


def _asked(extras, python):
    """Return what the extras ask for on one Python, through extras that name extras."""
    asked = [Requirement(text) for text in EXTRAS["dependencies"]]
    for extra in extras:
        for text in EXTRAS["optional-dependencies"][extra]:
            found = Requirement(text)
            if found.marker and not found.marker.evaluate({"python_version": python}):
                continue
            asked += _asked(found.extras, python) if found.name == "evla_ros" else [found]
    return asked


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_line_is_a_pin_with_a_hash(path):
    text = path.read_text(encoding="utf-8")
    left = re.sub(r"^(?:#.*|-r [\w.-]+)$", "", PIN.sub("", text), flags=re.MULTILINE)
    assert left.strip() == ""
    assert "://" not in text
    without = [name for name, _, hashes in PIN.findall(text) if not hashes]
    if path.name.endswith(TORCH):
        assert "torch" in without
        assert [name for name in without if not bootstrap.WITHOUT_HASHES.match(name)] == []
    elif path.name != RANGES:
        assert without == []


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("kind", ["core", "full"])
def test_what_the_project_asks_for_is_pinned(name, kind):
    distro, _, python = name.partition("-py")
    suffixes = ("-core.txt",) if kind == "core" else (".txt", TORCH)
    versions = {}
    for suffix in suffixes:
        versions |= _pins(ROOT / "requirements" / f"{name}{suffix}")
    extras = ["build", f"ros-{distro}", *bootstrap.EXTRAS[kind].split(",")]
    for asked in _asked(extras, python):
        pinned = versions.get(canonicalize_name(asked.name))
        assert pinned is not None, f"{asked} is not pinned: run `make lock`"
        assert asked.specifier.contains(pinned), f"{asked}, and {pinned} is pinned: `make lock`"
    if kind == "core":
        assert "torch" not in versions
    else:
        assert f"torch=={versions['torch']}" == bootstrap.TORCH


def test_what_tensorflow_needs_is_pinned_at_the_versions_asked_for():
    asked = _pins(ROOT / "requirements" / RANGES)
    for path in (ROOT / "requirements").glob("tfds-py*.txt"):
        assert asked.items() <= _pins(path).items()
