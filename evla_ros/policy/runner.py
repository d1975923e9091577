# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a policy runs: in the node's own process, or in another one."""

from __future__ import annotations

from typing import Protocol

from evla_ros.policy.errors import PolicyError
from evla_ros.policy.protocol import Policy
from evla_ros.policy.spec import PolicySpec, build_policy
from evla_ros.policy.types import Chunk, Observation


class Runner(Protocol):
    """Loads a policy and asks it.

    `infer` blocks the thread that calls it, so that must not be the one that sends goals.

    Attributes:
        about: what the loaded policy says of how it computes; empty when it says nothing.
    """

    about: str

    def start(self) -> None:
        """Load the policy.

        Raises:
            PolicyError: it cannot be loaded.
        """

    @property
    def alive(self) -> bool:
        """Whether the policy can still answer."""

    def infer(self, observation: Observation) -> Chunk:
        """Return the chunk of actions for an observation.

        Raises:
            PolicyError: the policy cannot answer.
            PolicyTimeoutError: it did not answer in time.
            WorkerDiedError: its process ended.
        """

    def reset(self) -> None:
        """Tell the policy that an episode starts."""

    def close(self) -> None:
        """Let the policy go; may be called more than once."""


class ThreadRunner:
    """The policy in the caller's process.

    It cannot be interrupted, and it shares the interpreter's lock with the node.
    """

    def __init__(self, spec: PolicySpec) -> None:
        """Remember which policy to build."""
        self._spec = spec
        self._policy: Policy | None = None
        self.alive = False
        self.about = ""

    def start(self) -> None:
        """Build the policy in this process."""
        self._policy = build_policy(self._spec)
        self.about = getattr(self._policy, "about", "")
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
        """Drop the policy; one that has a connection closes it."""
        policy, self._policy, self.alive = self._policy, None, False
        close = getattr(policy, "close", None)
        if close is not None:
            close()
