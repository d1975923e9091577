# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Turn the columns of a bag into episodes.

Gaps are cut out, actions are derived from the poses, idle steps are dropped and the value gates are
applied.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from evla_ros.data.alignment.actions import (
    ArmTrack,
    arm_actions,
    axis_actions,
    base_actions,
    neutral_action,
)
from evla_ros.data.alignment.idle import idle_mask, keep_mask
from evla_ros.data.alignment.spans import Span, complete_spans, longest
from evla_ros.data.convert.columns import TickColumns
from evla_ros.data.convert.gates import GateError, Gates
from evla_ros.data.convert.loss import stale_text
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.episode import Episode, Scalar, rlds_flags
from evla_ros.embodiment import Embodiment, action_columns
from evla_ros.errors import EvlaError
from evla_ros.geometry.pose import Pose, distance

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class EpisodeRefusedError(EvlaError):
    """A sound bag that gives no usable episode."""


@dataclass(frozen=True)
class EpisodeLabels:
    """What is known about an episode besides its ticks."""

    episode_id: str
    outcome: str  # success, failure or unknown
    success: bool
    instruction: str  # used where a tick has no instruction of its own
    interventions: Sequence[tuple[int, int]]  # [start, stop) in nanoseconds
    metadata: Mapping[str, Scalar]


class Built(NamedTuple):
    """The episodes of a bag, and the ticks that each was made of."""

    episodes: list[Episode]
    spans: list[Span]


def build_episodes(
    columns: TickColumns, labels: EpisodeLabels, embodiment: Embodiment, options: ConvertOptions
) -> Built:
    """Return the episodes of one bag: one, or several when gaps split it.

    Args:
        columns: The decoded ticks of the bag.
        labels: What is known about the recording as a whole.
        embodiment: The robot.
        options: How to treat gaps, idle steps and the last action.

    Raises:
        EpisodeRefusedError: No span of ticks is complete and long enough.
        GateError: The values break a rule, such as a camera that is black.
    """
    spans = complete_spans(columns.complete, columns.cuts)
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
    builder = _Builder(columns, labels, embodiment, options, gaps, lost, end)
    episodes = []
    used: list[Span] = []
    reasons: list[str] = []
    for number, span in enumerate(spans):
        suffix = f"-{number}" if options.on_gap == "split" and gaps else ""
        try:
            episodes.append(builder.build(span, suffix))
            used.append(span)
        except EpisodeRefusedError as error:
            reasons.append(str(error))
    if not episodes:
        raise EpisodeRefusedError(reasons[0])
    return Built(episodes, used)


class _Builder:
    def __init__(
        self,
        columns: TickColumns,
        labels: EpisodeLabels,
        embodiment: Embodiment,
        options: ConvertOptions,
        gaps: int,
        lost: int,
        end: int,
    ) -> None:
        """`end` is one after the last complete tick; an earlier span misses the task's end."""
        self._columns, self._labels, self._end = columns, labels, end
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
        self._need_goals(tracks)
        self._gates.finite({"gripper opening": np.stack([t.openings for t in tracks], axis=1)})
        actions = self._actions(tracks, span)
        moved = np.stack([measured_motion(track.poses) for track in tracks], axis=1)
        openings = np.stack([track.openings for track in tracks], axis=1)
        others, numbers = self._other_motion(span), action_columns(self._embodiment)
        self._gates.finite({"action": actions})
        self._gates.motion(actions, moved, numbers, others)
        idle = idle_mask(actions, moved, openings, numbers, others)
        keep = keep_mask(idle, options.idle)
        if options.last_action == "neutral":
            actions = np.concatenate([actions, neutral_action(actions[-1], numbers)[None]])
            keep = np.append(keep, True)
        chosen = span.start + np.flatnonzero(keep)
        if len(chosen) < options.min_steps:
            raise EpisodeRefusedError(
                f"only {len(chosen)} of {len(keep)} steps are not idle, fewer than "
                f"{options.min_steps}"
            )
        travel = self._travel(moved, others)
        done = self._labels.outcome == "success" and span.stop == self._end
        travel = travel[chosen - span.start]
        return self._episode(chosen, actions[keep], travel, suffix, idle, done)

    def _actions(self, tracks: Sequence[ArmTrack], span: Span) -> FloatArray:
        """Return the actions [N - 1, D] of arms, base and axes, as `action_layout` has them."""
        source = self._options.action_source(self._embodiment)
        parts = [arm_actions(track, source) for track in tracks]
        part, base = slice(span.start, span.stop), self._columns.base
        if base is not None:
            measured = [state.velocity for state in base.states[part] if state is not None]
            parts.append(base_actions(base.commands[part], measured, source))
        for axis in self._columns.axes.values():
            told, position = np.array(axis.commands[part]), np.array(axis.positions[part])
            parts.append(axis_actions(told, position, source)[:, None])
        return np.concatenate(parts, axis=1)

    def _other_motion(self, span: Span) -> FloatArray:
        """Return [N - 1, M]: how fast base and axes moved [m/s, rad/s], M = 0 without them."""
        rate, part, base = (
            self._embodiment.rate_hz,
            slice(span.start, span.stop),
            self._columns.base,
        )
        columns = [np.zeros((span.length - 1, 0))]
        if base is not None:
            states = [state.velocity for state in base.states[part] if state is not None]
            columns.append(np.array(states)[1:])
        columns += [
            np.diff(np.array(axis.positions[part]))[:, None] * rate
            for axis in self._columns.axes.values()
        ]
        return np.concatenate(columns, axis=1)

    def _travel(self, moved: FloatArray, others: FloatArray) -> FloatArray:
        """Return [N] how far the part that moves most has got, or the base has driven [m]."""
        steps = moved[:, :, 0].max(axis=1)
        if self._columns.base is not None:
            steps = np.maximum(steps, np.hypot(*others[:, :2].T) / self._embodiment.rate_hz)
        return np.concatenate([[0.0], np.cumsum(steps)])

    def _need_goals(self, tracks: Sequence[ArmTrack]) -> None:
        """Refuse commanded actions where nothing was commanded."""
        commanded = self._options.action_source(self._embodiment) == "commanded"
        if commanded and not any(goal is not None for track in tracks for goal in track.goals):
            raise EpisodeRefusedError(
                "no goal is fresh at any tick, and actions are made of goals here (action.source: "
                "commanded); --action-source achieved makes them of the measured poses"
            )

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
        columns, labels, rate = self._columns, self._labels, self._embodiment.rate_hz
        images = {}
        for name, camera in columns.cameras.items():
            pictures = [camera.pictures[i] for i in chosen]
            levels = np.array([camera.levels[i] for i in chosen])
            self._gates.camera(name, levels, pictures, travel, rate)
            images[f"image_{name}"] = pictures
        instructions = [columns.instructions[i] or labels.instruction for i in chosen]
        if self._options.instruction:
            instructions = [self._options.instruction] * len(chosen)
        self._gates.language(instructions)
        stamps = np.array([columns.stamps_ns[i] for i in chosen], dtype=np.int64)
        ages = np.array([columns.ages_s[i] for i in chosen], dtype=np.float32)
        skews = np.array([columns.skews_s[i] for i in chosen], dtype=np.float32)
        intervened = np.array(
            [_inside(stamp, labels.interventions) for stamp in stamps], dtype=np.bool_
        )
        flags = rlds_flags(len(chosen), terminal=done, reward=1.0 if done else 0.0)
        extra: dict[str, npt.NDArray[Any]] = {
            "stamp_ns": stamps,
            "age_s": ages,
            "skew_s": skews,
            "intervention": intervened,
        }
        state = np.stack([self._state(i) for i in chosen])
        beside = {f"extra/{name}": rows.chosen(chosen) for name, rows in columns.extras.items()}
        return Episode(
            images=images,
            observations={"state": state, **beside},
            action=actions.astype(np.float32),
            instructions=instructions,
            columns={**flags, **extra},
            metadata=self._metadata(suffix, intervened, ages, skews, idle),
        )

    def _state(self, index: int) -> npt.NDArray[np.float32]:
        row = self._columns.proprio[index]
        if row is None:
            raise GateError("finite", f"tick {index} has no proprioception")
        return row

    def _metadata(
        self,
        suffix: str,
        intervened: BoolArray,
        ages: npt.NDArray[np.float32],
        skews: npt.NDArray[np.float32],
        idle: BoolArray,
    ) -> dict[str, Any]:
        labels = self._labels
        return {
            **labels.metadata,
            "episode_id": labels.episode_id + suffix,
            "success": labels.success,
            "outcome": labels.outcome,
            "interventions": len(labels.interventions),
            "intervention_steps": int(intervened.sum()),
            "gaps": self._gaps,
            "lost_ticks": self._lost,
            "idle_steps": int(idle.sum()),
            "worst_age_s": float(np.nanmax(ages)) if ages.size else 0.0,
            "worst_skew_s": float(np.nanmax(skews)),
        }


def measured_motion(poses: Sequence[Pose]) -> FloatArray:
    """Return [N - 1, 2]: the metres and radians between consecutive poses of the N given."""
    pairs = [distance(a, b) for a, b in itertools.pairwise(poses)]
    return np.array(pairs, dtype=np.float64).reshape(-1, 2)


def _inside(stamp: int, spans: Sequence[tuple[int, int]]) -> bool:
    return any(start <= stamp < stop for start, stop in spans)


def _stale_text(columns: TickColumns) -> str:
    return stale_text(columns.stale, columns.late, columns.hints, len(columns.cuts))
