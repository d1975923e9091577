# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a limit is, and what it may know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from evla_ros.control.reasons import Reason
from evla_ros.geometry import Pose

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LimitState:
    """One arm, one tick.

    previous: the goal published last.
    linear_m_s, angular_rad_s: [3] velocity of the published goals over the last tick.
    target_m_s, target_rad_s: [3] velocity of the wanted goals, before limits.
    measured: where the arm is, None when that is not known.
    """

    previous: Pose
    linear_m_s: Array
    angular_rad_s: Array
    target_m_s: Array
    target_rad_s: Array
    measured: Pose | None = None

    @staticmethod
    def at_rest(pose: Pose) -> LimitState:
        """Return the state of an arm whose goal stands still."""
        zero = np.zeros(3)
        return LimitState(pose, zero, zero, zero, zero, pose)


class Limit(Protocol):
    """Turns a wanted goal into one that respects it."""

    def limit(self, state: LimitState, command: Pose, dt_s: float, /) -> tuple[Pose, Reason | None]:
        """Return the goal [pose in the base frame], and the reason if it was changed; dt_s > 0."""
