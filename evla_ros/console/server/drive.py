# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a page's message to what a held dead-man asks for; numbers are checked and clipped."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from evla_ros.console.errors import RefusedError
from evla_ros.console.server.robot import Drive


def drive_of(message: Mapping[str, Any], arms: int, axes: int) -> Drive:
    """Return the command of a message.

    Raises:
        RefusedError: A part is no number, or means an arm or axis that the robot does not have.
    """
    gripper = message.get("gripper")
    return Drive(
        arm=_index(message, "arm", arms),
        linear=_triple(message, "linear"),
        angular=_triple(message, "angular"),
        gripper=None if gripper is None else max(0.0, _stick(gripper, "gripper")),
        base=_triple(message, "base"),
        axis=_index(message, "axis", max(axes, 1)),
        axis_rate=_stick(message.get("axis_rate", 0.0), "axis_rate"),
    )


def whole(message: Mapping[str, Any], name: str, most: float = math.inf) -> int:
    """Return a whole number from 0 on; RefusedError for what is none."""
    value = message.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise RefusedError(f"{name} {str(value)[:40]} is no whole number of 0 to {most:g}")
    return value


def _index(message: Mapping[str, Any], name: str, count: int) -> int:
    return whole(message, name, count - 1)


def _triple(message: Mapping[str, Any], name: str) -> tuple[float, float, float]:
    values = message.get(name, (0.0, 0.0, 0.0))
    if not isinstance(values, list | tuple) or len(values) != 3:
        raise RefusedError(f"{name} takes three numbers")
    x, y, z = (_stick(value, name) for value in values)
    return x, y, z


def _stick(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise RefusedError(f"{name} {str(value)[:40]} is no number")
    return min(1.0, max(-1.0, float(value)))
