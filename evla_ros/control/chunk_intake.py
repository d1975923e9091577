# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From an answer of the policy to a chunk in use: checked, anchored, handed to the scheduler."""

from __future__ import annotations

from evla_ros.control.acceptance import Acceptance, Fate
from evla_ros.control.chunk_check import chunk_problem
from evla_ros.control.chunk_scheduler import ChunkScheduler
from evla_ros.control.inputs import Inputs
from evla_ros.control.moving_parts import MovingParts
from evla_ros.control.policy_watch import PolicyWatch
from evla_ros.control.reasons import Finding, Reason
from evla_ros.embodiment import Embodiment, action_columns
from evla_ros.policy.types import Chunk


class ChunkIntake:
    """Takes chunks for the whole robot at once."""

    def __init__(
        self,
        embodiment: Embodiment,
        parts: MovingParts,
        inputs: Inputs,
        scheduler: ChunkScheduler,
    ) -> None:
        """Take what a chunk goes through."""
        self._rows, self._size = embodiment.action.chunk, action_columns(embodiment).size
        self._parts, self._inputs, self._scheduler = parts, inputs, scheduler

    def take(self, chunk: Chunk, policy: PolicyWatch, now_ns: int) -> Acceptance:
        """Use a chunk that answers the open question; the policy is told how it did."""
        problem = chunk_problem(chunk, self._rows, self._size)
        if problem:
            return _refuse(Finding(Reason.ACTION_INVALID, problem), policy, now_ns)
        lines, base = self._parts.lines, self._parts.base
        anchors = [
            line.anchor_at(chunk.observation_stamp_ns, stream.max_age_ns)
            for line, stream in zip(lines, self._inputs.lines, strict=True)
        ]
        starts = [anchor for anchor in anchors if anchor is not None]
        goals = [line.goal for line in lines if line.goal is not None]
        if len(starts) < len(lines) or len(goals) < len(lines):
            detail = "no measured pose at the image's time"
            return _refuse(Finding(Reason.POSE_MISSING, detail), policy, now_ns)
        values = [line.values for line in lines]
        velocity = None if base is None else base.velocity
        late = self._scheduler.accept(chunk, starts, goals, values, now_ns, velocity)
        policy.succeeded(chunk.inference_ns)
        for line, clipped in zip(lines, self._scheduler.clipped_steps, strict=False):
            if clipped:
                line.clips[Reason.LIMIT_STEP] += clipped
        if late < self._rows:
            return Acceptance(Fate.TAKEN, late)
        finding = Finding(Reason.CHUNK_EXHAUSTED, "all actions were already past")
        policy.failure = finding
        return Acceptance(Fate.TOO_LATE, late, finding)


def _refuse(finding: Finding, policy: PolicyWatch, now_ns: int) -> Acceptance:
    policy.failed(finding, now_ns)
    return Acceptance(Fate.REFUSED, 0, finding)
