# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A thread that ticks at a fixed rate on absolute deadlines, and at once when it is nudged."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

_POLL_S = 0.002
_PATIENCE_S = 0.1


class GoalLoop:
    """Calls `tick()` at a fixed rate. Deadlines never drift; a missed one is counted and skipped.

    With a simulated clock, deadlines are on that clock; while it stands still there is a tick every
    0.1 s of real time, so that a stop is still obeyed.
    """

    def __init__(
        self,
        rate_hz: float,
        tick: Callable[[], None],
        on_error: Callable[[Exception], None],
        simulated_now_ns: Callable[[], int] | None = None,
    ) -> None:
        """Get ready.

        Args:
            rate_hz: Ticks per second.
            tick: Called on each deadline.
            on_error: Takes what `tick` raised; the loop goes on.
            simulated_now_ns: Reads the simulated clock [ns]; None: real time.
        """
        self._period_ns = round(1e9 / rate_hz)
        self._tick, self._on_error = tick, on_error
        self._simulated = simulated_now_ns
        self._nudge = threading.Event()
        self._ticked = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.lateness_ms: deque[float] = deque(maxlen=3_000)
        self.missed = 0

    def start(self) -> None:
        """Begin to tick; what is measured of the ticks begins anew."""
        self._stop.clear()
        self._nudge.clear()
        self.lateness_ms.clear()
        self.missed = 0
        self._thread = threading.Thread(target=self._run, name="goal_loop", daemon=True)
        self._thread.start()

    def nudge(self) -> None:
        """Tick now, off the grid; the grid stays where it is."""
        self._nudge.set()

    def nudge_and_wait(self, timeout_s: float) -> None:
        """Tick now, and let that tick have the interpreter: return after it, or after the time."""
        self._ticked.clear()
        self._nudge.set()
        self._ticked.wait(timeout_s)

    def stop(self) -> None:
        """End the thread; no tick is under way afterwards."""
        self._stop.set()
        self._nudge.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._thread = None

    def _run(self) -> None:
        wait = self._wait_real if self._simulated is None else self._wait_simulated
        self._deadline_ns = self._now_ns()
        while not self._stop.is_set():
            wait()
            if self._stop.is_set():
                return
            try:
                self._tick()
            except Exception as error:  # noqa: BLE001 - the loop that can stop the robot must go on
                self._on_error(error)
            self._ticked.set()

    def _now_ns(self) -> int:
        return time.monotonic_ns() if self._simulated is None else self._simulated()

    def _wait_real(self) -> None:
        left_ns = self._deadline_ns - time.monotonic_ns()
        if left_ns > 0 and self._nudge.wait(left_ns / 1e9):
            self._nudge.clear()
            return
        self._advance(time.monotonic_ns())

    def _wait_simulated(self) -> None:
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end and not self._stop.is_set():
            now_ns = self._now_ns()
            if now_ns >= self._deadline_ns:
                self._advance(now_ns)
                return
            if now_ns < self._deadline_ns - 2 * self._period_ns:  # the clock went back
                self._deadline_ns = now_ns + self._period_ns
                return
            if self._nudge.wait(_POLL_S):
                self._nudge.clear()
                return

    def _advance(self, now_ns: int) -> None:
        late_ns = now_ns - self._deadline_ns
        self.lateness_ms.append(late_ns / 1e6)
        skipped = late_ns // self._period_ns
        self.missed += int(skipped)
        self._deadline_ns += self._period_ns * int(skipped + 1)
