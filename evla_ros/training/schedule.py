# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Learning rate over the steps: linear warm-up, then cosine to zero or constant."""

from __future__ import annotations

import math

from evla_ros.training.run_settings import OptimizerSettings


def learning_rate(settings: OptimizerSettings, step: int) -> float:
    """Return the learning rate of an optimiser step, counted from 0."""
    if step < settings.warmup_steps:
        return settings.learning_rate * (step + 1) / settings.warmup_steps
    if settings.schedule == "constant":
        return settings.learning_rate
    span = max(1, settings.steps - settings.warmup_steps)
    progress = min(1.0, (step - settings.warmup_steps) / span)
    return settings.learning_rate * 0.5 * (1.0 + math.cos(math.pi * progress))
