# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a policy runs: in a thread of the node, or in a process of its own."""

from __future__ import annotations

from typing import Protocol

from evla_ros.policy.errors import PolicyError
from evla_ros.policy.protocol import Policy
from evla_ros.policy.spec import PolicySpec, build_policy
from evla_ros.policy.types import Chunk, Observation


class Runner(Protocol):
    """Loads a policy and asks it; `infer` blocks its caller, never the goal loop."""

    def start(self) -> None:
        """Load the policy; raises PolicyError when that fails."""

    @property
    def alive(self) -> bool:
        """Whether the policy can still answer."""

    def infer(self, observation: Observation) -> Chunk:
        """Return the chunk; raises PolicyError, PolicyTimeoutError or WorkerDiedError."""

    def reset(self) -> None:
        """Tell the policy that an episode starts."""

    def close(self) -> None:
        """Let the policy go; may be called more than once."""


class ThreadRunner:
    """The policy in the caller's process; cannot be interrupted, shares the interpreter's lock."""

    def __init__(self, spec: PolicySpec) -> None:
        """Remember what to build."""
        self._spec = spec
        self._policy: Policy | None = None
        self.alive = False

    def start(self) -> None:
        """Build the policy here."""
        self._policy = build_policy(self._spec)
        self.alive = True

    def infer(self, observation: Observation) -> Chunk:
        """Ask the policy."""
        if self._policy is None:
            raise PolicyError("the policy is not loaded; start the runner first")
        return self._policy.infer(observation)

    def reset(self) -> None:
        """Reset the policy."""
        if self._policy is not None:
            self._policy.reset()

    def close(self) -> None:
        """Drop the policy."""
        self._policy, self.alive = None, False
