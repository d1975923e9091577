# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a user of the simulator can get wrong, and what the physics can."""

from __future__ import annotations

from evla_ros.errors import EvlaError


class SimError(EvlaError):
    """A wrong world, task, arm, action or state, or a machine that cannot render."""


class UnstablePhysicsError(SimError):
    """MuJoCo reported a bad state (NaN or runaway); the episode is void."""
