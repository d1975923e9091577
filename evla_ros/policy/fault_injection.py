# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Wrappers that make a policy misbehave, for tests, benchmarks and rehearsals."""

from __future__ import annotations

import time

import numpy as np

from evla_ros.policy.errors import PolicyError
from evla_ros.policy.protocol import Policy
from evla_ros.policy.types import Chunk, Observation


class _Wrapper:
    """A policy that describes itself as the wrapped one does."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self.embodiment_hash = policy.embodiment_hash
        self.chunk_length = policy.chunk_length
        self.action_dim = policy.action_dim

    def reset(self) -> None:
        """Reset the wrapped policy."""
        self._policy.reset()


class SlowPolicy(_Wrapper):
    """Answers later by a fixed time, asleep or busy on the processor meanwhile."""

    def __init__(self, policy: Policy, delay_s: float, *, busy: bool = False) -> None:
        """Wrap a policy.

        Args:
            policy: the policy that answers.
            delay_s: how much longer an answer takes, in seconds.
            busy: compute instead of sleeping; this holds the interpreter's lock as the Python parts
                of a model do.
        """
        super().__init__(policy)
        self._delay_s, self._busy = delay_s, busy

    def infer(self, observation: Observation) -> Chunk:
        """Wait, then return the wrapped policy's answer."""
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
    """Raises an error after a number of good answers, for ever or a number of times."""

    def __init__(self, policy: Policy, after: int, times: int = 1 << 30) -> None:
        """Wrap a policy.

        Args:
            policy: the policy that answers.
            after: how many good answers come before the first error.
            times: how many errors come before it answers again.
        """
        super().__init__(policy)
        self._after, self._times, self._count = after, times, 0

    def infer(self, observation: Observation) -> Chunk:
        """Return the wrapped policy's answer, or raise PolicyError when it is time to."""
        self._count += 1
        if self._after < self._count <= self._after + self._times:
            raise PolicyError(f"this policy raises at call {self._count}, as it was told to")
        return self._policy.infer(observation)


class StickyPolicy(_Wrapper):
    """Fails as a GPU does after an illegal access: from then on every call in this process."""

    def __init__(self, policy: Policy, after: int) -> None:
        """Wrap a policy.

        Args:
            policy: the policy that answers.
            after: how many good answers come before the first error.
        """
        super().__init__(policy)
        self._after, self._count = after, 0

    def infer(self, observation: Observation) -> Chunk:
        """Return the wrapped policy's answer, or raise what torch raises."""
        self._count += 1
        if self._count > self._after:
            raise RuntimeError("CUDA error: an illegal memory access was encountered")
        return self._policy.infer(observation)


class BrokenPolicy(_Wrapper):
    """Returns chunks that no robot may follow."""

    def __init__(self, policy: Policy, kind: str, after: int = 0) -> None:
        """Wrap a policy.

        Args:
            policy: the policy whose chunks are spoiled.
            kind: `nan`, `inf` or `huge` numbers everywhere, a wrong `shape`, or `extremes`: actions
                that alternate between 1 and -1.
            after: how many good answers come before the first spoiled one.
        """
        super().__init__(policy)
        self._kind, self._after, self._count = kind, after, 0

    def infer(self, observation: Observation) -> Chunk:
        """Return a spoiled chunk, once enough good ones were returned."""
        chunk = self._policy.infer(observation)
        self._count += 1
        if self._count <= self._after:
            return chunk
        good = np.asarray(chunk.actions, dtype=np.float64)
        if self._kind == "shape":
            return Chunk(observation.stamp_ns, good[:, :-1])
        if self._kind == "extremes":
            signs = np.where(np.arange(len(good)) % 2 == 0, 1.0, -1.0)
            return Chunk(observation.stamp_ns, np.zeros_like(good) + signs[:, None])
        value = {"nan": np.nan, "inf": np.inf, "huge": 1e30}[self._kind]
        return Chunk(observation.stamp_ns, np.full_like(good, value))
