# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The emergency stop as a topic: it latches, and where a heartbeat is agreed, its silence stops."""

from __future__ import annotations

from evla_ros.control.reasons import Finding, Reason


class StopButton:
    """What the button said last, and when."""

    def __init__(self, heartbeat_s: float | None = None) -> None:
        """Take the longest silence [s] that is no stop; None: the button may stay silent."""
        self._heartbeat_ns = None if heartbeat_s is None else round(heartbeat_s * 1e9)
        self._heard_ns: int | None = None
        self.pressed = False
        self.latched = False

    def set(self, pressed: bool, now_ns: int | None = None) -> bool:
        """Take a message of the button; pressing latches.

        Args:
            pressed: What the message says.
            now_ns: Its arrival on the node's clock; without it, it is no heartbeat.

        Returns:
            Whether pressed or latched changed.
        """
        before = (self.pressed, self.latched)
        if now_ns is not None:
            self._heard_ns = now_ns
        self.pressed = pressed
        self.latched = self.latched or pressed
        return before != (self.pressed, self.latched)

    def reset(self) -> bool:
        """Release the latch; False while the button is still pressed."""
        self.latched = self.pressed
        return not self.latched

    def clock_jumped(self) -> None:
        """Forget when it was heard; the next message counts anew."""
        self._heard_ns = None

    def findings(self, now_ns: int) -> list[Finding]:
        """Return why the button forbids motion."""
        found = [Finding(Reason.ESTOP)] if self.latched else []
        if self._heartbeat_ns is not None:
            if self._heard_ns is None:
                found.append(Finding(Reason.ESTOP_SILENT, "not heard yet"))
            elif now_ns - self._heard_ns > self._heartbeat_ns:
                detail = f"silent for more than {self._heartbeat_ns / 1e9:g} s"
                found.append(Finding(Reason.ESTOP_SILENT, detail))
        return found
