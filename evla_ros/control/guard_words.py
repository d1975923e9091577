# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a refused measurement reads: a pose of an arm, odometry, the position of an axis."""

from __future__ import annotations

import math
from typing import Protocol

from evla_ros.geometry import Pose


class GuardWords(Protocol):
    """The words of one kind of measurement."""

    @property
    def what(self) -> str:
        """What is measured, such as `pose`."""

    def way(self, before: Pose, after: Pose) -> str:
        """Return how far it is from one to the other."""

    def place(self, pose: Pose) -> str:
        """Return where that is."""


class PoseWords:
    """Of an arm's tool."""

    what = "pose"

    def way(self, before: Pose, after: Pose) -> str:
        """Return metres and radians."""
        metres, radians = apart(before, after)
        return f"{metres:.3f} m and {radians:.2f} rad"

    def place(self, pose: Pose) -> str:
        """Return x y z."""
        x, y, z = pose.position_m.tolist()
        return f"({x:.4g}, {y:.4g}, {z:.4g})"


class OdometryWords(PoseWords):
    """Of a mobile base."""

    what = "odometry"


class AxisWords:
    """Of a single joint, whose position is the x of a pose."""

    what = "axis"

    def __init__(self, unit: str) -> None:
        """Take the unit of its position, m or rad."""
        self._unit = unit

    def way(self, before: Pose, after: Pose) -> str:
        """Return the difference in its unit."""
        return f"{apart(before, after)[0]:.3f} {self._unit}"

    def place(self, pose: Pose) -> str:
        """Return its position."""
        return f"{pose.position_m[0]:.4g}"


def apart(a: Pose, b: Pose) -> tuple[float, float]:
    """Return the distance [m] and the angle [rad] between two poses, in plain floats."""
    metres = math.dist(a.position_m.tolist(), b.position_m.tolist())
    p, q = a.quaternion_xyzw.tolist(), b.quaternion_xyzw.tolist()
    cosine = abs(p[0] * q[0] + p[1] * q[1] + p[2] * q[2] + p[3] * q[3])
    return metres, 2.0 * math.acos(min(1.0, cosine))
