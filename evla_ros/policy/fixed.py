# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Policies that need no model: hold still, call a function, replay recorded actions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from evla_ros.embodiment import ActionColumns
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.types import Chunk, Observation

Actions = npt.NDArray[np.float64]


class ScriptedPolicy:
    """Lets a function compute the actions of an observation."""

    def __init__(
        self,
        function: Callable[[Observation], Actions],
        chunk_length: int,
        action_dim: int,
        embodiment_hash: str = "",
    ) -> None:
        """Take the function and the size of what it returns.

        Args:
            function: returns [K, D] actions for an observation.
            chunk_length: K, the number of actions it returns.
            action_dim: D, the numbers per action.
            embodiment_hash: content hash of the robot it was written for; empty fits any.
        """
        self._function = function
        self.chunk_length = chunk_length
        self.action_dim = action_dim
        self.embodiment_hash = embodiment_hash

    def infer(self, observation: Observation) -> Chunk:
        """Return the actions that the function computes."""
        return Chunk(observation.stamp_ns, self._function(observation))

    def reset(self) -> None:
        """Do nothing: a function has no memory."""


class HoldPolicy(ScriptedPolicy):
    """Stays where it is: every delta and velocity is 0, every axis where it is measured.

    Every gripper number is 0.5, which switches none.
    """

    def __init__(self, chunk_length: int, columns: ActionColumns, axes: slice | None) -> None:
        """Take the size of a chunk, and where proprio has the measured axes (None without axes)."""

        def still(observation: Observation) -> Actions:
            rows = np.zeros((chunk_length, columns.size))
            rows[:, list(columns.grippers)] = 0.5
            if axes is not None:
                rows[:, list(columns.axes)] = observation.proprio[axes]
            return rows

        super().__init__(still, chunk_length, columns.size)


class ReplayPolicy:
    """Plays recorded actions, one per tick from the first observation on, and then holds still."""

    def __init__(
        self, actions: Actions, chunk_length: int, tick_ns: int, columns: ActionColumns
    ) -> None:
        """Take the recorded actions.

        Args:
            actions: [T, D] in the embodiment's action layout, one per tick.
            chunk_length: how many of them one answer holds (K).
            tick_ns: the time between two of them, in nanoseconds.
            columns: where the numbers of an action are.

        Raises:
            PolicyError: there are none, or they are not a table.
        """
        if actions.ndim != 2 or len(actions) == 0:
            raise PolicyError(f"no actions to replay: shape {list(actions.shape)}, expected [T, D]")
        self._kept = [column for column in columns.absolute if column < actions.shape[1]]
        self._actions = actions
        self._tick_ns = tick_ns
        self._start_ns: int | None = None
        self.chunk_length = chunk_length
        self.action_dim = int(actions.shape[1])
        self.embodiment_hash = ""

    def infer(self, observation: Observation) -> Chunk:
        """Return the recorded actions from the observation's time on, and then no motion."""
        if self._start_ns is None:
            self._start_ns = observation.stamp_ns
        first = round((observation.stamp_ns - self._start_ns) / self._tick_ns)
        rows = np.zeros((self.chunk_length, self.action_dim))
        rows[:, self._kept] = self._actions[-1, self._kept]
        part = self._actions[first : first + self.chunk_length]
        rows[: len(part)] = part
        return Chunk(observation.stamp_ns, rows)

    def reset(self) -> None:
        """Begin with the first action at the next observation."""
        self._start_ns = None
