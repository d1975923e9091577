# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A policy function that other processes import by name."""

from __future__ import annotations

import numpy as np

from evla_ros.policy.types import Observation


def mean_colours(observation: Observation) -> np.ndarray:
    """Return actions that prove what the policy saw: colours, proprio, words."""
    actions = np.zeros((8, 7))
    for row, name in enumerate(sorted(observation.images)):
        actions[row, :3] = observation.images[name].mean(axis=(0, 1))
    actions[6] = observation.proprio[:7]
    actions[7, 0] = len(observation.instruction)
    return actions
