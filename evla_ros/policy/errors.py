# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with a policy, in one sentence each."""

from __future__ import annotations

from evla_ros.errors import EvlaError


class PolicyError(EvlaError):
    """A policy that cannot be built, or cannot answer."""


class PolicyTimeoutError(PolicyError):
    """A policy that did not answer in time."""


class WorkerDiedError(PolicyError):
    """The process of a policy ended without being asked to."""
