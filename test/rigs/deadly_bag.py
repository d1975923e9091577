# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A conversion that is killed by some bags, as the system does when the memory is full."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from evla_ros.data.convert.bag_job import BagResult
from evla_ros.data.convert.options import ConvertOptions


def convert_or_die(bag: Path, options: ConvertOptions, staging: Path) -> BagResult:
    """Return a result, or kill the own process for a bag called `deadly`."""
    if bag.name.startswith("deadly"):
        os.kill(os.getpid(), signal.SIGKILL)
    return BagResult(str(bag), "kept")
