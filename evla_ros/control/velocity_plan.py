# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One chunk as velocities of the base: how fast it should be at the end of each action."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Velocity = npt.NDArray[np.float64]  # [3] vx vy wz


@dataclass(frozen=True, eq=False)
class VelocityPlan:
    """Velocities of the base, action by action.

    Attributes:
        start_ns: Time of the first one.
        tick_ns: Time from one to the next.
        velocities: [K + 1, 3] vx vy [m/s] wz [rad/s]; the first one is that of the start.
    """

    start_ns: int
    tick_ns: int
    velocities: npt.NDArray[np.float64]

    def at(self, time_ns: int) -> Velocity:
        """Return the velocity at that time; zero once the chunk is over: nobody decides then."""
        if time_ns <= self.start_ns:
            return np.array(self.velocities[0])
        row, into_ns = divmod(time_ns - self.start_ns, self.tick_ns)
        if row >= len(self.velocities) - 1:
            return np.zeros(3)
        before, after = self.velocities[row : row + 2]
        return np.asarray(before + (after - before) * (into_ns / self.tick_ns))
