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

    Attributes:
        previous: The goal published last.
        linear_m_s: [3] velocity of the published goals over the last tick.
        angular_rad_s: [3] the same of their rotation.
        target_m_s: [3] velocity of the wanted goals, before limits.
        target_rad_s: [3] the same of their rotation.
        measured: Where the arm is, None when that is not known.
    """

    previous: Pose
    linear_m_s: Array
    angular_rad_s: Array
    target_m_s: Array
    target_rad_s: Array
    measured: Pose | None = None

    @staticmethod
    def at_rest(goal: Pose, measured: Pose | None = None) -> LimitState:
        """Return the state of an arm whose goal stands still."""
        zero = np.zeros(3)
        return LimitState(goal, zero, zero, zero, zero, measured)


class Limit(Protocol):
    """Turns a wanted goal into one that respects it."""

    def limit(self, state: LimitState, command: Pose, dt_s: float, /) -> tuple[Pose, Reason | None]:
        """Return the goal [pose in the base frame], and the reason if it was changed; dt_s > 0."""
