# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The Wilson score interval: how sure a success rate is after so many trials."""

from __future__ import annotations

import math

from evla_ros.errors import EvlaError

Z_95 = 1.959963984540054


def wilson_interval(successes: int, trials: int, z: float = Z_95) -> tuple[float, float]:
    """Return (low, high) of the success probability in [0, 1]; (0, 1) without trials.

    z: quantile of the normal distribution, 1.96 for 95 %. Source: E. B. Wilson, "Probable
    inference, the law of succession, and statistical inference", 1927. Raises EvlaError for
    impossible counts.
    """
    if not 0 <= successes <= trials:
        raise EvlaError(f"{successes} successes in {trials} trials is impossible; 0 <= k <= n")
    if trials == 0:
        return 0.0, 1.0
    rate = successes / trials
    shrink = 1.0 / (1.0 + z * z / trials)
    centre = shrink * (rate + z * z / (2.0 * trials))
    half = shrink * z * math.sqrt(rate * (1.0 - rate) / trials + z * z / (4.0 * trials * trials))
    low = 0.0 if successes == 0 else max(0.0, centre - half)
    high = 1.0 if successes == trials else min(1.0, centre + half)
    return low, high
