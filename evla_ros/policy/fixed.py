# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Policies that need no model: hold still, call a function, replay recorded actions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from evla_ros.policy.errors import PolicyError
from evla_ros.policy.types import Chunk, Observation

Actions = npt.NDArray[np.float64]


class ScriptedPolicy:
    """Asks a function for the actions [K, D] of an observation."""

    def __init__(
        self,
        function: Callable[[Observation], Actions],
        chunk_length: int,
        action_dim: int,
        embodiment_hash: str = "",
    ) -> None:
        """Take the function and what it returns."""
        self._function = function
        self.chunk_length = chunk_length
        self.action_dim = action_dim
        self.embodiment_hash = embodiment_hash

    def infer(self, observation: Observation) -> Chunk:
        """Return what the function returns."""
        return Chunk(observation.stamp_ns, self._function(observation))

    def reset(self) -> None:
        """Do nothing; a function has no memory."""


class HoldPolicy(ScriptedPolicy):
    """Stays where it is: every delta 0, every gripper number 0.5, so that none switches."""

    def __init__(self, chunk_length: int, action_dim: int) -> None:
        """Return the same chunk for ever."""
        still = np.zeros((chunk_length, action_dim))
        still[:, 6::7] = 0.5
        super().__init__(lambda _: still, chunk_length, action_dim)


class ReplayPolicy:
    """Plays recorded actions [T, D], one per tick from the first observation on; then holds."""

    def __init__(self, actions: Actions, chunk_length: int, tick_ns: int) -> None:
        """tick_ns: time of one recorded action. Raises PolicyError when there is none."""
        if actions.ndim != 2 or len(actions) == 0:
            raise PolicyError(f"no actions to replay: shape {list(actions.shape)}, expected [T, D]")
        self._actions = actions
        self._tick_ns = tick_ns
        self._start_ns: int | None = None
        self.chunk_length = chunk_length
        self.action_dim = int(actions.shape[1])
        self.embodiment_hash = ""

    def infer(self, observation: Observation) -> Chunk:
        """Return the K actions from the observation's time on."""
        if self._start_ns is None:
            self._start_ns = observation.stamp_ns
        first = round((observation.stamp_ns - self._start_ns) / self._tick_ns)
        rows = np.zeros((self.chunk_length, self.action_dim))
        rows[:, 6::7] = self._actions[-1, 6::7]
        part = self._actions[first : first + self.chunk_length]
        rows[: len(part)] = part
        return Chunk(observation.stamp_ns, rows)

    def reset(self) -> None:
        """Start from the first action again."""
        self._start_ns = None
