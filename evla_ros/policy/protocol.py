# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The interface of every policy: `infer(observation) -> chunk`."""

from __future__ import annotations

from typing import Protocol

from evla_ros.policy.types import Chunk, Observation


class Policy(Protocol):
    """A policy for one embodiment. A wrapper takes a policy and is a policy itself."""

    @property
    def embodiment_hash(self) -> str:
        """The content hash of the embodiment file it was made for; empty when it fits any robot."""

    @property
    def chunk_length(self) -> int:
        """The number of actions in a chunk (K)."""

    @property
    def action_dim(self) -> int:
        """The number of numbers in one action (D)."""

    def infer(self, observation: Observation) -> Chunk:
        """Return the chunk of actions for an observation.

        Raises:
            PolicyError: it cannot answer this observation.
        """

    def reset(self) -> None:
        """Forget the episode so far (history, random state); called when a new one starts."""
