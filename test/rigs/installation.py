# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run Python in an installation, where opening a file of the checkout is an error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_PATHS = Path(__file__).with_name("default_paths.py").read_text(encoding="utf-8")
# Python imports a module of this name at start, in child processes too.
_GUARD = """
import os, sys

def refuse(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes)):
        path = os.path.abspath(os.fsdecode(arguments[0]))
        if path.startswith({root!r} + os.sep) and not path.startswith({root!r} + os.sep + ".venv"):
            raise RuntimeError("an installed package reads the checkout: " + path)

sys.addaudithook(refuse)
"""


@dataclass(frozen=True)
class Installation:
    """site: the folder that Python imports from. prefix: of everything that was installed."""

    site: Path
    prefix: Path
    environment: dict[str, str]

    def python(self, *words: str, folder: Path) -> subprocess.CompletedProcess[str]:
        """Run Python with words, in a folder that is empty at first."""
        return subprocess.run(
            [sys.executable, *words],
            env=self.environment,
            cwd=folder,
            capture_output=True,
            text=True,
        )

    def default_paths(self, folder: Path) -> dict[str, list[Path]]:
        """Read all that the package finds by default; returns where each lies."""
        done = self.python("-c", DEFAULT_PATHS, folder=folder)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        return {name: [Path(path) for path in paths] for name, paths in found.items()}


def installation(site: Path, prefix: Path, scratch: Path, *, guarded: bool) -> Installation:
    """Describe an installation.

    Args:
        site: the folder that holds `evla_ros/`.
        prefix: the folder of all that was installed; its `lib/` and `share/` are found.
        scratch: an empty folder for what the processes need.
        guarded: whether opening a file of the checkout (its virtual environment excepted) fails.
    """
    guard = [str(scratch)] if guarded else []
    if guarded:
        text = _GUARD.format(root=str(ROOT))
        (scratch / "sitecustomize.py").write_text(text, encoding="utf-8")
    python = [entry for entry in _entries("PYTHONPATH") if not (Path(entry) / "evla_ros").exists()]
    share = Path("share") / "evla_ros"
    ament = [entry for entry in _entries("AMENT_PREFIX_PATH") if not (Path(entry) / share).exists()]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*guard, str(site), *python]),
        "LD_LIBRARY_PATH": os.pathsep.join([str(prefix / "lib"), *_entries("LD_LIBRARY_PATH")]),
        "AMENT_PREFIX_PATH": os.pathsep.join([str(prefix), *ament]),
    }
    return Installation(site, prefix, environment)


def _entries(variable: str) -> list[str]:
    return [entry for entry in os.environ.get(variable, "").split(os.pathsep) if entry]
