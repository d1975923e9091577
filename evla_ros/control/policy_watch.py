# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is known of the policy: an inference under way, its last failure, how long it takes."""

from __future__ import annotations

from collections import deque

from evla_ros.control.reasons import Finding, Reason
from evla_ros.control.settings import ControlSettings


class PolicyWatch:
    """Follows inferences by their start and end."""

    def __init__(self, settings: ControlSettings) -> None:
        """Take time-out and retry pause from the settings."""
        self._timeout_ns = round(settings.inference_timeout_s * 1e9)
        self._retry_ns = round(settings.retry_s * 1e9)
        self._since_ns: int | None = None
        self._failed_ns: int | None = None
        self._took_ms: deque[float] = deque(maxlen=100)
        self.failure: Finding | None = None
        self.restarting = False
        self.chunks = 0

    @property
    def busy(self) -> bool:
        """Whether an inference is under way."""
        return self._since_ns is not None

    def begin(self, now_ns: int) -> None:
        """An inference starts."""
        self._since_ns = now_ns

    def succeeded(self, inference_ns: int) -> None:
        """An inference ended with a usable chunk."""
        self._since_ns, self._failed_ns, self.failure = None, None, None
        self._took_ms.append(inference_ns / 1e6)
        self.chunks += 1

    def failed(self, finding: Finding, now_ns: int) -> None:
        """An inference ended without one."""
        self._since_ns, self._failed_ns, self.failure = None, now_ns, finding

    def discarded(self) -> None:
        """An inference ended, and nobody wants its result any more."""
        self._since_ns = None

    def clock_jumped(self, now_ns: int) -> None:
        """Count times anew."""
        self._since_ns = now_ns if self.busy else None
        self._failed_ns = None

    def ready(self, now_ns: int) -> bool:
        """Return whether an inference may start now."""
        if self.busy or self.restarting:
            return False
        return self._failed_ns is None or now_ns - self._failed_ns >= self._retry_ns

    def blocker(self, now_ns: int) -> Finding | None:
        """Return what stops motion at once: a dead process, an inference without end."""
        if self.restarting:
            return Finding(Reason.POLICY_RESTARTING)
        if self._since_ns is not None and now_ns - self._since_ns > self._timeout_ns:
            return Finding(Reason.POLICY_TIMEOUT, f"more than {self._timeout_ns / 1e9:g} s")
        return None

    def percentile_ms(self, percent: float) -> float:
        """Return a percentile of the last 100 inference times [ms], -1 before the first."""
        if not self._took_ms:
            return -1.0
        ordered = sorted(self._took_ms)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100.0))]
