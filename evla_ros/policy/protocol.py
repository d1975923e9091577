# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one thing every policy is: `infer(observation) -> chunk`."""

from __future__ import annotations

from typing import Protocol

from evla_ros.policy.types import Chunk, Observation


class Policy(Protocol):
    """A policy for one embodiment; wrappers take a policy and are one."""

    @property
    def embodiment_hash(self) -> str:
        """Content hash of the embodiment file it was made for ('' when it fits any)."""

    @property
    def chunk_length(self) -> int:
        """K, the number of actions in a chunk."""

    @property
    def action_dim(self) -> int:
        """D, the numbers per action."""

    def infer(self, observation: Observation) -> Chunk:
        """Return the chunk for this observation; raises PolicyError when it cannot."""

    def reset(self) -> None:
        """Forget the episode (history, random state); called when a new one starts."""
