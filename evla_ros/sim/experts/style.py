# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How one demonstrator moves: drawn once per episode, as people differ."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Style:
    """The habits of a demonstrator.

    Attributes:
        speed_m_s: travel speed of the tool.
        hover_m: height above an object when approaching.
        carry_m: height of a carried object above its rest.
        slowdown: fraction of the remaining way per tick near a target.
        noise: standard deviation of injected noise as a fraction of the step (DART, Laskey 2017).
        disturbance: probability per tick that something goes wrong.
    """

    speed_m_s: float = 0.32
    hover_m: float = 0.08
    carry_m: float = 0.11
    slowdown: float = 0.65
    noise: float = 0.0
    disturbance: float = 0.0

    @staticmethod
    def sample(rng: np.random.Generator, noise: float = 0.0, disturbance: float = 0.0) -> Style:
        """Draw a demonstrator."""
        return Style(
            speed_m_s=float(rng.uniform(0.26, 0.40)),
            hover_m=float(rng.uniform(0.065, 0.10)),
            carry_m=float(rng.uniform(0.095, 0.13)),
            slowdown=float(rng.uniform(0.55, 0.75)),
            noise=noise,
            disturbance=disturbance,
        )
