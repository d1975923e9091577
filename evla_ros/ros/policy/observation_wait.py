# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When the inference thread of the policy node goes on; knows no controller."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable


class ObservationWait:
    """Puts the inference thread to sleep until there is something to infer; for `SharedCore` alone.

    Every method is called with the core's lock held; `next` lets it go while it waits.
    """

    def __init__(
        self,
        arrived: threading.Condition,
        may_begin: Callable[[], bool],
        is_fresh: Callable[[], bool],
        is_complete: Callable[[int], bool],
        now_ns: Callable[[], int],
        fresh_wait_s: float,
        instant_wait_s: float,
    ) -> None:
        """Take what decides whether an inference begins.

        Args:
            arrived: Notified when a sample arrives; over the core's lock.
            may_begin: Says whether an inference is wanted, and there is an image for it.
            is_fresh: Says whether the newest image has just arrived.
            is_complete: Says whether nothing is due before a time [ns] that was sampled with the
                newest images.
            now_ns: Reads the node's clock [ns].
            fresh_wait_s: How long an inference waits for an image that has just arrived [s].
            instant_wait_s: How long it then waits for what was sampled with that image [s].
        """
        self._arrived, self._now_ns = arrived, now_ns
        self._may_begin, self._is_fresh, self._is_complete = may_begin, is_fresh, is_complete
        self._fresh_wait_s, self._instant_wait_s = fresh_wait_s, instant_wait_s
        self._collecting = False
        self._awaited = False  # the newest image found an inference that waited for it

    def next(self, timeout_s: float, ended: threading.Event) -> int | None:
        """Wait until an inference begins.

        Args:
            timeout_s: The longest time to wait for an inference to be wanted [s].
            ended: Ends the wait when it is set and `interrupt` is called.

        Returns:
            When the inference was decided on [ns]; None when there is nothing to infer now.
        """
        due = self._arrived.wait_for(
            lambda: ended.is_set() or self._awaited or self._may_begin(), timeout_s
        )
        if not due:
            return None
        # The image is young when it found this thread waiting, however late it comes to see it.
        self._arrived.wait_for(
            lambda: ended.is_set() or self._awaited or self._is_fresh(), self._fresh_wait_s
        )
        self._awaited, start_ns = False, self._now_ns()
        return start_ns if self._wait_for_instant(ended) else None

    def image_arrived(self) -> None:
        """Start the inference that waits for an image."""
        self._awaited = self.look()

    def sample_arrived(self) -> None:
        """Wake the thread if it waits for what was sampled with its images."""
        if self._collecting:
            self._arrived.notify_all()

    def look(self) -> bool:
        """Wake the thread if there may be an observation for it; return whether there may be."""
        due = self._collecting or self._may_begin()
        if due:
            self._arrived.notify_all()
        return due

    def interrupt(self) -> None:
        """Wake the thread so that it looks whether its wait has ended."""
        self._arrived.notify_all()

    def _wait_for_instant(self, ended: threading.Event) -> bool:
        """Wait until nothing is due any more that was sampled with the newest images.

        Returns:
            Whether the inference is still wanted.
        """
        end_s = time.monotonic() + self._instant_wait_s
        self._collecting = True
        try:
            while not ended.is_set() and self._may_begin():
                left_s = end_s - time.monotonic()
                until_ns = self._now_ns() + round(left_s * 1e9)
                if left_s <= 0.0 or self._is_complete(until_ns):
                    return True
                self._arrived.wait(left_s)
            return False
        finally:
            self._collecting = False
