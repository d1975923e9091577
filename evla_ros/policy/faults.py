# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Policies that wrap a policy and misbehave, for tests, benchmarks and rehearsals."""

from __future__ import annotations

import time

import numpy as np

from evla_ros.policy.errors import PolicyError
from evla_ros.policy.protocol import Policy
from evla_ros.policy.types import Chunk, Observation


class _Wrapper:
    """Says of itself what the wrapped policy says."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    @property
    def embodiment_hash(self) -> str:
        """The wrapped policy's."""
        return self._policy.embodiment_hash

    @property
    def chunk_length(self) -> int:
        """The wrapped policy's."""
        return self._policy.chunk_length

    @property
    def action_dim(self) -> int:
        """The wrapped policy's."""
        return self._policy.action_dim

    def reset(self) -> None:
        """Reset the wrapped policy."""
        self._policy.reset()


class SlowPolicy(_Wrapper):
    """Takes `delay_s` longer: asleep, or busy on the processor for that time."""

    def __init__(self, policy: Policy, delay_s: float, *, busy: bool = False) -> None:
        """Busy work holds the interpreter's lock like the Python parts of a model do."""
        super().__init__(policy)
        self._delay_s, self._busy = delay_s, busy

    def infer(self, observation: Observation) -> Chunk:
        """Wait, then infer."""
        if self._busy:
            end = time.perf_counter() + self._delay_s
            matrix = np.full((192, 192), 1e-3)
            while time.perf_counter() < end:
                matrix = np.tanh(matrix @ matrix)
                sum(range(2000))
        else:
            time.sleep(self._delay_s)
        return self._policy.infer(observation)


class RaisingPolicy(_Wrapper):
    """Raises after a number of good answers, for ever or for a number of times."""

    def __init__(self, policy: Policy, after: int, times: int = 1 << 30) -> None:
        """after: good answers before the first error; times: errors before it recovers."""
        super().__init__(policy)
        self._after, self._times, self._count = after, times, 0

    def infer(self, observation: Observation) -> Chunk:
        """Infer or raise."""
        self._count += 1
        if self._after < self._count <= self._after + self._times:
            raise PolicyError(f"this policy raises at call {self._count}, as it was told to")
        return self._policy.infer(observation)


class BrokenPolicy(_Wrapper):
    """Returns what no robot should get: `nan`, `inf`, `huge`, `shape` or `extremes`."""

    def __init__(self, policy: Policy, kind: str) -> None:
        """Take the kind of nonsense."""
        super().__init__(policy)
        self._kind = kind

    def infer(self, observation: Observation) -> Chunk:
        """Return nonsense."""
        good = np.asarray(self._policy.infer(observation).actions, dtype=np.float64)
        if self._kind == "shape":
            return Chunk(observation.stamp_ns, good[:, :-1])
        if self._kind == "extremes":
            signs = np.where(np.arange(len(good)) % 2 == 0, 1.0, -1.0)
            return Chunk(observation.stamp_ns, np.zeros_like(good) + signs[:, None])
        value = {"nan": np.nan, "inf": np.inf, "huge": 1e30}[self._kind]
        return Chunk(observation.stamp_ns, np.full_like(good, value))
