# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Repair the CMake files of the ROS 2 wheels, which name folders of their build machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

BUILD_MACHINE = "/opt/python/"
NUMPY = re.compile(r"/opt/python/[^;\"\s>]*/numpy/(?:_core|core)/include")
PYTHON = re.compile(r"/opt/python/[^;\"\s>]*/include/python3\.\d+t?")
ASK = "import numpy, sysconfig; print(sysconfig.get_paths()['include']); print(numpy.get_include())"


def repair(venv: Path) -> int:
    """Point the exported CMake files to this Python and NumPy; returns how many changed."""
    answer = subprocess.run(
        [str(venv / "bin" / "python"), "-c", ASK], capture_output=True, text=True, check=True
    )
    python_include, numpy_include = answer.stdout.split("\n")[:2]
    changed = 0
    for path in sorted((venv / "share").glob("*/cmake/*.cmake")):
        text = path.read_text(encoding="utf-8")
        if BUILD_MACHINE in text:
            path.write_text(
                PYTHON.sub(python_include, NUMPY.sub(numpy_include, text)), encoding="utf-8"
            )
            changed += 1
    return changed
