# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A gripper opens or closes; it does not follow a wavering number."""

from __future__ import annotations


class GripperSwitch:
    """Open above one threshold, closed below another, unchanged in between."""

    def __init__(self, open_above: float, close_below: float) -> None:
        """Thresholds as openings in [0, 1], 1 = open."""
        self._open_above, self._close_below = open_above, close_below
        self._opening: float | None = None

    @property
    def opening(self) -> float | None:
        """1.0 open, 0.0 closed, None before the first decision."""
        return self._opening

    def reset(self) -> None:
        """Forget the decision, so that the next one is sent whatever it is."""
        self._opening = None

    def update(self, value: float) -> float | None:
        """Take the policy's number; return the opening to command."""
        if value > self._open_above:
            self._opening = 1.0
        elif value < self._close_below:
            self._opening = 0.0
        return self._opening
