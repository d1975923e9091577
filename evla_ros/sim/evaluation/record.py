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
    Verdict.UNSTABLE: "Not scored: the physics became unstable.",
}


@dataclass(frozen=True)
class EpisodeRecord:
    """One episode of one policy.

    duration_s: simulated time until success or the end. path_m: measured way of the tool, per arm.
    goals: control ticks with a goal from a chunk; limited: those of them that a limit changed;
    clipped: the same by limit (step limits count actions).
    holds: control ticks without a goal from a chunk, by reason. inference_ms: wall time of each.
    digest: SHA-256 of the final physics state, for comparing two runs.
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

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> EpisodeRecord:
        """Return the record that `as_json` wrote."""
        fields = dict(values)
        fields["verdict"] = Verdict(fields["verdict"])
        fields["path_m"] = tuple(fields["path_m"])
        fields["inference_ms"] = tuple(fields["inference_ms"])
        return EpisodeRecord(**fields)

    def outcome(self) -> tuple[Any, ...]:
        """Return what two runs with one seed must agree on: all but wall times and file names."""
        return (
            self.policy, self.task, self.seed, self.instruction, self.verdict, self.duration_s,
            self.path_m, self.goals, self.limited, self.chunks, dict(self.clipped),
            dict(self.holds), self.digest,
        )  # fmt: skip
