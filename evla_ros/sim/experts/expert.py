# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The protocol of a scripted expert."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt


class Expert(Protocol):
    """Closed loop from any state: no timers and no memory, so it recovers from whatever happens."""

    def act(self) -> npt.NDArray[np.float64]:
        """Return the action [D] for the world's present state."""
