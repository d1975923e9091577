# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""axe-core, where it can be had."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

AXE = "axe-core@4.14.1"  # MPL-2.0, 0.6 MB: fetched for the test, not part of this repository
CACHE = Path.home() / ".cache" / "evla_ros" / "axe"


@pytest.fixture(scope="session")
def axe():
    """Return the source of axe-core."""
    file = CACHE / "node_modules" / "axe-core" / "axe.min.js"
    if not file.is_file():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("axe-core comes through npm, which is not installed")
        CACHE.mkdir(parents=True, exist_ok=True)
        quiet = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(CACHE)]
        try:
            subprocess.run(
                [npm, "install", *quiet, AXE], check=True, capture_output=True, timeout=90
            )
        except (subprocess.SubprocessError, OSError) as error:
            pytest.skip(f"axe-core could not be fetched: {error}")
    return file.read_text(encoding="utf-8")
