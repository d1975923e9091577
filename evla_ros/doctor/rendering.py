# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether the simulator can draw camera images without a screen."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from evla_ros.doctor.finding import Finding, note, ok
from evla_ros.errors import EvlaError


def check() -> Iterator[Finding]:
    """Ask the simulator which headless OpenGL it would use."""
    if importlib.util.find_spec("mujoco") is None:
        return
    from evla_ros.sim.gl_backend import choose_backend

    try:
        yield ok("simulator", "rendering", choose_backend())
    except EvlaError as error:
        fix = "apt install libosmesa6, or libegl1 with libgl1-mesa-dri"
        yield note("simulator", "rendering", str(error), fix)
