# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is kept of one evaluated episode, and the verdict on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import Enum
from typing import Any


class Verdict(str, Enum):
    """How an episode ended; only success and failure are scored."""

    SUCCESS = "success"
    FAILURE = "failure"
    SOLVED_AT_RESET = "solved_at_reset"
    NO_ACTION = "no_action"
    NO_ANSWER = "no_answer"
    UNSTABLE = "unstable"

    @property
    def scored(self) -> bool:
        """Whether the episode says anything about the policy."""
        return self in (Verdict.SUCCESS, Verdict.FAILURE)

    @property
    def sentence(self) -> str:
        """What a reader of the report is told."""
        return _SENTENCES[self]


_SENTENCES = {
    Verdict.SUCCESS: "The task was done.",
    Verdict.FAILURE: "The task was not done in time.",
    Verdict.SOLVED_AT_RESET: "Not scored: the task was already done at reset.",
    Verdict.NO_ACTION: "Not scored: no action of the policy was applied.",
    Verdict.NO_ANSWER: "Not scored: the policy gave no answer.",
    Verdict.UNSTABLE: "Not scored: the physics became unstable.",
}


@dataclass(frozen=True)
class EpisodeRecord:
    """One episode of one policy.

    Attributes:
        policy: its name.
        task: the label under which it is scored.
        seed: seed of the start state.
        instruction: what the policy was asked.
        verdict: how it ended.
        duration_s: simulated time until success or the end.
        path_m: measured way of the tool, per arm.
        goals: control ticks with a goal from a chunk.
        limited: how many of those goals a limit changed.
        chunks: answers of the policy that were accepted.
        clipped: changes by `arm.limit` (step limits count actions, not goals).
        holds: control ticks without a goal from a chunk, by reason.
        inference_ms: wall time of each inference.
        digest: SHA-256 of the final physics state, to compare two runs; empty through ROS.
        note: why it ended as it did, where the verdict does not say it.
        video: path of its film; None without one.
    """

    policy: str
    task: str
    seed: int
    instruction: str
    verdict: Verdict
    duration_s: float
    path_m: tuple[float, ...] = ()
    goals: int = 0
    limited: int = 0
    chunks: int = 0
    clipped: Mapping[str, int] = field(default_factory=dict)
    holds: Mapping[str, int] = field(default_factory=dict)
    inference_ms: tuple[float, ...] = ()
    digest: str = ""
    note: str = ""
    video: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the record as plain values."""
        values = asdict(self)
        values["verdict"] = self.verdict.value
        values["inference_ms"] = [round(ms, 3) for ms in self.inference_ms]
        return values
