# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Refuse a Python environment that core cannot run in, in one sentence, as soon as it is imported.

Distributions ship pydantic 1 for years to come (Ubuntu 22.04: 1.8, 24.04: 1.10; Debian 12: 1.10),
and it fails with errors that do not name it.
"""

from __future__ import annotations

from evla_ros.errors import EvlaError

PYDANTIC = (2, 6)


def check_pydantic(version: str) -> None:
    """Raise EvlaError when this version of pydantic is too old."""
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < PYDANTIC:
        oldest = ".".join(map(str, PYDANTIC))
        raise EvlaError(
            f"evla_ros needs pydantic {oldest} or newer and this Python has {version}: install "
            f"it where `ros2 run` looks (`pip install 'pydantic>={oldest}'` in an active virtual "
            "environment made with --system-site-packages)"
        )


try:
    from pydantic import VERSION
except ImportError as error:
    raise EvlaError(
        "evla_ros needs pydantic, which this Python does not have: `pip install pydantic`"
    ) from error
check_pydantic(str(VERSION))
