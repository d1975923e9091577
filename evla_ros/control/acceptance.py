# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What became of a chunk that a policy returned."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from evla_ros.control.reasons import Finding


class Fate(Enum):
    """The four ends of an inference that returned a chunk."""

    TAKEN = "taken"
    TOO_LATE = "too late"
    REFUSED = "refused"
    OUTDATED = "outdated"


class Acceptance(NamedTuple):
    """The answer of `Controller.accept`.

    Attributes:
        fate: TAKEN: its goals count from now on. TOO_LATE: it was usable, and all its actions are
            in the past. REFUSED: it is unusable. OUTDATED: it answers a question that nobody asks
            any more (another instruction, a stop).
        late_rows: Actions that are in the past and were dropped; all of them when TOO_LATE.
        finding: Why it was not taken; None when it was, or is outdated.
    """

    fate: Fate
    late_rows: int = 0
    finding: Finding | None = None

    @property
    def usable(self) -> bool:
        """Whether it was a proper chunk for the question that is open."""
        return self.fate in (Fate.TAKEN, Fate.TOO_LATE)
