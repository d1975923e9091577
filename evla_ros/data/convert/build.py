# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Columns over ticks to episodes: gaps cut, actions derived, idle steps dropped, gates applied."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.alignment.actions import ArmTrack, arm_actions, neutral_action
from evla_ros.data.alignment.idle import idle_mask, keep_mask
from evla_ros.data.alignment.spans import Span, complete_spans, longest
from evla_ros.data.convert.columns import TickColumns
from evla_ros.data.convert.gates import GateError, Gates
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.episode import Episode, Scalar, rlds_flags
from evla_ros.embodiment import Embodiment
from evla_ros.errors import EvlaError
from evla_ros.geometry.pose import Pose, distance

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class EpisodeRefusedError(EvlaError):
    """A bag that is sound but gives no usable episode."""


@dataclass(frozen=True)
class EpisodeFacts:
    """What is known of the episode besides its ticks."""

    episode_id: str
    outcome: str  # success, failure or unknown
    success: bool
    instruction: str  # for ticks without one of their own
    interventions: Sequence[tuple[int, int]]  # [start, stop) in nanoseconds
    metadata: Mapping[str, Scalar]


def build_episodes(
    columns: TickColumns, facts: EpisodeFacts, embodiment: Embodiment, options: ConvertOptions
) -> list[Episode]:
    """Return the episodes of one bag; raises EpisodeRefusedError or GateError."""
    spans = complete_spans(columns.complete)
    lost = len(columns.complete) - sum(span.length for span in spans)
    if not spans:
        raise EpisodeRefusedError(f"no tick has every stream fresh; {_stale_text(columns)}")
    gaps = len(spans) - 1
    if gaps and options.on_gap == "reject":
        raise EpisodeRefusedError(f"{gaps} gap(s), {lost} ticks lost; {_stale_text(columns)}")
    end = spans[-1].stop
    if options.on_gap != "split":
        best = longest(spans)
        spans = [] if best is None else [best]
    builder = _Builder(columns, facts, embodiment, options, gaps, lost, end)
    episodes = []
    reasons: list[str] = []
    for number, span in enumerate(spans):
        suffix = f"-{number}" if options.on_gap == "split" and gaps else ""
        try:
            episodes.append(builder.build(span, suffix))
        except EpisodeRefusedError as error:
            reasons.append(str(error))
    if not episodes:
        raise EpisodeRefusedError(reasons[0])
    return episodes


class _Builder:
    def __init__(
        self,
        columns: TickColumns,
        facts: EpisodeFacts,
        embodiment: Embodiment,
        options: ConvertOptions,
        gaps: int,
        lost: int,
        end: int,
    ) -> None:
        """`end`: the last complete tick; a span that stops earlier lacks how the task ended."""
        self._columns, self._facts, self._end = columns, facts, end
        self._embodiment, self._options = embodiment, options
        self._gaps, self._lost = gaps, lost
        self._gates = Gates(options.allow)

    def build(self, span: Span, suffix: str) -> Episode:
        options = self._options
        if span.length < options.min_steps + 1:
            raise EpisodeRefusedError(
                f"only {span.length} contiguous ticks, fewer than {options.min_steps + 1}; "
                f"{_stale_text(self._columns)}"
            )
        tracks = [self._track(arm.name, span) for arm in self._embodiment.arms]
        self._gates.finite({"gripper opening": np.stack([t.openings for t in tracks], axis=1)})
        source = options.action_source(self._embodiment)
        actions = np.concatenate([arm_actions(track, source) for track in tracks], axis=1)
        moved = np.stack([measured_motion(track.poses) for track in tracks], axis=1)
        openings = np.stack([track.openings for track in tracks], axis=1)
        self._gates.finite({"action": actions})
        self._gates.motion(actions, moved)
        idle = idle_mask(actions, moved, openings)
        keep = keep_mask(idle, options.idle)
        if options.last_action == "neutral":
            actions = np.concatenate([actions, neutral_action(actions[-1])[None]])
            keep = np.append(keep, True)
        chosen = span.start + np.flatnonzero(keep)
        if len(chosen) < options.min_steps:
            raise EpisodeRefusedError(
                f"only {len(chosen)} of {len(keep)} steps are not idle, fewer than "
                f"{options.min_steps}"
            )
        travel = np.concatenate([[0.0], np.cumsum(moved[:, :, 0].max(axis=1))])
        done = self._facts.outcome == "success" and span.stop == self._end
        travel = travel[chosen - span.start]
        return self._episode(chosen, actions[keep], travel, suffix, idle, done)

    def _track(self, arm: str, span: Span) -> ArmTrack:
        column = self._columns.arms[arm]
        part = slice(span.start, span.stop)
        poses = [pose for pose in column.poses[part] if pose is not None]
        openings, commands = np.array(column.openings[part]), np.array(column.commands[part])
        return ArmTrack(poses, column.goals[part], openings, commands)

    def _episode(
        self,
        chosen: npt.NDArray[np.int64],
        actions: FloatArray,
        travel: FloatArray,
        suffix: str,
        idle: BoolArray,
        done: bool,
    ) -> Episode:
        columns, facts, rate = self._columns, self._facts, self._embodiment.rate_hz
        images = {}
        for name, camera in columns.cameras.items():
            pictures = [camera.pictures[i] for i in chosen]
            levels = np.array([camera.levels[i] for i in chosen])
            self._gates.camera(name, levels, pictures, travel, rate)
            images[f"image_{name}"] = pictures
        instructions = [columns.instructions[i] or facts.instruction for i in chosen]
        if self._options.instruction:
            instructions = [self._options.instruction] * len(chosen)
        self._gates.language(instructions)
        stamps = np.array([columns.stamps_ns[i] for i in chosen], dtype=np.int64)
        ages = np.array([columns.ages_s[i] for i in chosen], dtype=np.float32)
        skews = np.array([columns.skews_s[i] for i in chosen], dtype=np.float32)
        taken = np.array([_inside(stamp, facts.interventions) for stamp in stamps], dtype=np.bool_)
        flags = rlds_flags(len(chosen), terminal=done, reward=1.0 if done else 0.0)
        extra: dict[str, npt.NDArray[Any]] = {
            "stamp_ns": stamps,
            "age_s": ages,
            "skew_s": skews,
            "intervention": taken,
        }
        state = np.stack([self._state(i) for i in chosen])
        return Episode(
            images=images,
            observations={"state": state},
            action=actions.astype(np.float32),
            instructions=instructions,
            columns={**flags, **extra},
            metadata=self._metadata(suffix, taken, ages, skews, idle),
        )

    def _state(self, index: int) -> npt.NDArray[np.float32]:
        row = self._columns.proprio[index]
        if row is None:
            raise GateError("finite", f"tick {index} has no proprioception")
        return row

    def _metadata(
        self,
        suffix: str,
        taken: BoolArray,
        ages: npt.NDArray[np.float32],
        skews: npt.NDArray[np.float32],
        idle: BoolArray,
    ) -> dict[str, Any]:
        facts = self._facts
        return {
            **facts.metadata,
            "episode_id": facts.episode_id + suffix,
            "success": facts.success,
            "outcome": facts.outcome,
            "interventions": len(facts.interventions),
            "intervention_steps": int(taken.sum()),
            "gaps": self._gaps,
            "lost_ticks": self._lost,
            "idle_steps": int(idle.sum()),
            "worst_age_s": float(np.nanmax(ages)) if ages.size else 0.0,
            "worst_skew_s": float(np.nanmax(skews)),
        }


def measured_motion(poses: Sequence[Pose]) -> FloatArray:
    """Return [N - 1, 2]: metres and radians between consecutive poses."""
    pairs = [distance(a, b) for a, b in itertools.pairwise(poses)]
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def _inside(stamp: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= stamp < stop for start, stop in spans)


def _stale_text(columns: TickColumns) -> str:
    if not columns.stale:
        return "no stream was stale"
    worst = sorted(columns.stale.items(), key=lambda item: -item[1])[:3]
    return "stale: " + ", ".join(f"{name} in {count} ticks" for name, count in worst)
