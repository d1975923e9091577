# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a policy, in one sentence each."""

from __future__ import annotations

from evla_ros.errors import EvlaError


class PolicyError(EvlaError):
    """A policy cannot be built, or cannot answer."""


class PolicyTimeoutError(PolicyError):
    """A policy did not answer in time."""


class WorkerDiedError(PolicyError):
    """The process of a policy ended without being asked to."""


class ServerLateError(PolicyError):
    """A policy server did not answer before the deadline."""


class ServerGoneError(PolicyError):
    """A policy server cannot be reached, or closed the connection."""


def is_sticky(error: Exception) -> bool:
    """Return whether an accelerator's error leaves this process unable to compute ever again."""
    return "CUDA error" in str(error) or type(error).__name__ == "AcceleratorError"
