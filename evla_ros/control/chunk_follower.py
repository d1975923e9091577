# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Follows the chunk in use for as long as it lasts and the robot keeps up with it."""

from __future__ import annotations

from evla_ros.control.acceptance import Acceptance
from evla_ros.control.chunk_intake import ChunkIntake
from evla_ros.control.chunk_scheduler import ChunkScheduler
from evla_ros.control.inputs import Inputs
from evla_ros.control.moving_parts import MovingParts
from evla_ros.control.policy_watch import PolicyWatch
from evla_ros.control.reasons import Finding, Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.control.tick_clock import Elapsed
from evla_ros.control.ticks import Tick
from evla_ros.embodiment import Embodiment, action_columns
from evla_ros.policy.types import Chunk


class ChunkFollower:
    """The chunks of one robot.

    Attributes:
        epoch: Grows with every drop; the answer to an observation of an older one is outdated.
        holding: Why there is no chunk to follow.
        returning: Whether goals go back to parts that did not follow them.
    """

    def __init__(
        self, embodiment: Embodiment, settings: ControlSettings, parts: MovingParts, inputs: Inputs
    ) -> None:
        """Start without a chunk."""
        self._parts, self._settle_ns = parts, settings.settle_s * 1e9
        tick_ns = round(1e9 / embodiment.rate_hz)
        self.scheduler = ChunkScheduler(settings, tick_ns, action_columns(embodiment))
        self._intake = ChunkIntake(embodiment, parts, inputs, self.scheduler)
        self.epoch = 0
        self.holding: Finding | None = None
        self.returning = False

    def begin(self) -> None:
        """Wait for the first chunk after a start."""
        self.drop()
        self.returning, self.holding = False, Finding(Reason.WAITING_FOR_CHUNK)

    def drop(self) -> None:
        """Forget the chunk, and every inference under way."""
        self.scheduler.drop()
        self.epoch += 1

    def take(self, chunk: Chunk, policy: PolicyWatch, now_ns: int) -> Acceptance:
        """Use a chunk that answers the open question; the policy is told how it did."""
        return self._intake.take(chunk, policy, now_ns)

    def follow(self, now_ns: int, elapsed: Elapsed) -> Tick | None:
        """Return what the chunk asks for now, within the limits; None where there is none."""
        self.returning = self.returning and not self._parts.held
        self._end_chunk(now_ns)
        if self.returning or not self.scheduler.active:
            return None
        told = self._parts.follow(self.scheduler, now_ns, elapsed)
        clips = {reason for part in self._parts.channels for reason in part.last_clips}
        if not clips:
            return Tick(now_ns, Finding(Reason.MOVING), told, moving=True)
        detail = " ".join(sorted(reason.sentence for reason in clips))
        return Tick(now_ns, Finding(Reason.MOVING_LIMITED, detail), told, moving=True)

    def _end_chunk(self, now_ns: int) -> None:
        """Drop the chunk when it is used up, or when a part does not follow its goals."""
        if not self.scheduler.active:
            return
        if -self.scheduler.time_left_ns(now_ns) > self._settle_ns:
            self.holding = Finding(Reason.CHUNK_EXHAUSTED)
            self.scheduler.drop()
            return
        lost = self._parts.lost()
        if lost:
            self.holding, self.returning = Finding(Reason.TRACKING_ERROR), True
            self.drop()
        for part in lost:
            part.clips[Reason.TRACKING_ERROR] += 1
