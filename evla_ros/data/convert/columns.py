# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decode ticks into columns: pictures at the dataset's size, poses, gripper openings, ages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from evla_ros.data.alignment.aligner import AlignedTick, is_fresh
from evla_ros.data.alignment.observation import BaseState, MovingState, proprio_vector
from evla_ros.data.codecs.base import Velocity
from evla_ros.data.convert.camera_column import CameraColumn
from evla_ros.data.convert.extra_rows import ExtraRows
from evla_ros.data.convert.gates import Gates
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.way_goals import WayGoals
from evla_ros.embodiment import Arm, Embodiment
from evla_ros.embodiment.streams import (
    POSE_TRAJECTORY,
    UNREPORTED_OPENING,
    Kind,
    Stream,
    StreamKey,
    is_reported,
    streams_of,
)
from evla_ros.errors import EvlaError
from evla_ros.geometry.pose import Pose
from evla_ros.units import SECOND_NS


@dataclass
class ArmColumn:
    """One arm over N ticks; incomplete ticks hold None or NaN.

    Attributes:
        poses: Measured pose of the tool in the base frame.
        goals: The commanded pose in force, None where none is fresh.
        openings: Measured gripper opening, 0 closed to 1 open.
        commands: Commanded gripper opening, NaN before the first command.
    """

    poses: list[Pose | None] = field(default_factory=list)
    goals: list[Pose | None] = field(default_factory=list)
    openings: list[float] = field(default_factory=list)
    commands: list[float] = field(default_factory=list)


@dataclass
class BaseColumn:
    """The base over N ticks; incomplete ticks hold None.

    Attributes:
        states: What the odometry says.
        commands: The velocity command in force, None where none is fresh.
    """

    states: list[BaseState | None] = field(default_factory=list)
    commands: list[Velocity | None] = field(default_factory=list)


@dataclass
class AxisColumn:
    """One axis over N ticks [m or rad]; incomplete ticks hold NaN.

    Attributes:
        positions: Measured.
        commands: The commanded position, NaN before the first command.
    """

    positions: list[float] = field(default_factory=list)
    commands: list[float] = field(default_factory=list)


class TickColumns:
    """Collects the ticks of a bag into columns: call it with every tick, then read the columns."""

    def __init__(
        self, embodiment: Embodiment, options: ConvertOptions, *, pictures: bool = True
    ) -> None:
        """Create empty columns; without `pictures` none is decoded."""
        self._embodiment = embodiment
        self._options = options
        self._gates = Gates(options.allow)
        self._streams = streams_of(embodiment)
        self.stamps_ns: list[int] = []
        self.complete: list[bool] = []
        self.stale: dict[str, int] = {}
        self.cuts: list[int] = []  # numbers of the ticks before which a clock was set
        self.late: dict[str, float] = {}  # by stream, how long after the others it begins [s]
        self.hints: dict[str, str] = {}  # by stream, what is known of its rhythm
        self.cameras = {
            one.key.name: CameraColumn(one, options.image_size, decode=pictures)
            for one in self._streams.of_kind(Kind.CAMERA)
        }
        self.arms = {arm.name: ArmColumn() for arm in embodiment.arms}
        self.unreported: dict[str, int] = {}
        self._ways = {arm.name: WayGoals() for arm in embodiment.arms}
        self.base = None if embodiment.base is None else BaseColumn()
        self.axes = {axis.name: AxisColumn() for axis in embodiment.axes}
        self.proprio: list[npt.NDArray[np.float32] | None] = []
        self.instructions: list[str | None] = []
        self.ages_s: list[list[float]] = []
        self.skews_s: list[float] = []
        self.extras = {
            one.name: ExtraRows(one, options.image_size, decode=pictures)
            for one in options.extras or ()
        }
        self._aged = aged_streams(embodiment, tuple(self.extras))

    def __call__(self, tick: AlignedTick[StreamKey]) -> None:
        """Append one tick; an incomplete one takes a row without values."""
        self.stamps_ns.append(tick.stamp_ns)
        self.complete.append(tick.complete)
        for key in tick.stale:
            self.stale[str(key)] = self.stale.get(str(key), 0) + 1
        shown = {
            StreamKey(Kind.CAMERA, name): camera.take(
                tick.samples[StreamKey(Kind.CAMERA, name)], tick.stamp_ns, complete=tick.complete
            )
            for name, camera in self.cameras.items()
        }
        if tick.complete:
            self._drop(len(self.complete) - 1, [key for key, at in shown.items() if at is None])
        self._extras(tick)
        for arm in self._embodiment.arms:
            self._arm(arm, tick)
        if self.base is not None:
            self._base(self.base, tick)
        for axis in self._embodiment.axes:
            self._axis(axis.name, tick)
        self.proprio.append(self._proprio(tick) if tick.complete else None)
        self.instructions.append(tick.payload(StreamKey(Kind.INSTRUCTION)))
        ages = [self._age_ns(tick, key, shown.get(key)) for key in self._aged]
        known = [age for age in ages if age is not None]
        seconds = [np.nan if age is None else age / SECOND_NS for age in ages]
        self.ages_s.append([float(s) for s in seconds])
        self.skews_s.append((max(known) - min(known)) / SECOND_NS if known else float("nan"))

    def settle(self) -> list[str]:
        """Judge what was read when all ticks are there; returns notes.

        Raises:
            EvlaError: A camera has no usable picture, or changes its size.
        """
        notes = []
        for name, count in self.unreported.items():
            if count >= sum(self.complete):
                raise EvlaError(
                    f"the action of gripper {name} reports nothing in this bag: record its "
                    "feedback topic while it works, or give the gripper a 'state' topic"
                )
            notes.append(
                f"gripper of {name}: counts as open for {count} ticks, until its action first "
                "reports"
            )
        for name, camera in self.cameras.items():
            lost, told = camera.settle(self._gates)
            for tick in lost:
                self._drop(tick, [StreamKey(Kind.CAMERA, name)])
            notes += told
        return notes + [note for rows in self.extras.values() for note in rows.notes]

    def _drop(self, tick: int, streams: Sequence[StreamKey]) -> None:
        """Make a tick incomplete for which streams have no usable sample after all."""
        for key in streams:
            self.complete[tick] = False
            self.stale[str(key)] = self.stale.get(str(key), 0) + 1

    @staticmethod
    def _age_ns(tick: AlignedTick[StreamKey], key: StreamKey, shown_ns: int | None) -> int | None:
        """Return how old what a tick has of a stream is; `shown_ns` is the stamp of a picture."""
        return tick.age_ns(key) if shown_ns is None else tick.stamp_ns - shown_ns

    def _extras(self, tick: AlignedTick[StreamKey]) -> None:
        for name, rows in self.extras.items():
            key = StreamKey(Kind.EXTRA, name)
            if not rows.take(tick.samples[key], complete=tick.complete) and tick.complete:
                self._drop(len(self.complete) - 1, [key])

    def _arm(self, arm: Arm, tick: AlignedTick[StreamKey]) -> None:
        column = self.arms[arm.name]
        pose = tick.payload(StreamKey(Kind.POSE, arm.name))
        column.poses.append(pose if tick.complete else None)
        goal = self._streams.get(Kind.GOAL, arm.name)
        if goal.type == POSE_TRAJECTORY:
            column.goals.append(self._ways[arm.name].goal(goal, tick, pose))
        else:
            column.goals.append(tick.payload(goal.key) if self._fresh(goal, tick) else None)
        column.openings.append(self._measured_opening(arm, tick))
        column.commands.append(self._opening(Kind.GRIPPER_COMMAND, arm, tick))

    def _base(self, column: BaseColumn, tick: AlignedTick[StreamKey]) -> None:
        command = self._streams.get(Kind.BASE_COMMAND)
        state = tick.payload(StreamKey(Kind.ODOMETRY)) if tick.complete else None
        column.states.append(state)
        column.commands.append(tick.payload(command.key) if self._fresh(command, tick) else None)

    def _axis(self, name: str, tick: AlignedTick[StreamKey]) -> None:
        column = self.axes[name]
        position = tick.payload(StreamKey(Kind.AXIS, name)) if tick.complete else None
        told = tick.payload(StreamKey(Kind.AXIS_COMMAND, name))
        column.positions.append(float("nan") if position is None else float(position))
        column.commands.append(float("nan") if told is None else float(told))

    @staticmethod
    def _fresh(stream: Stream, tick: AlignedTick[StreamKey]) -> bool:
        """Return whether what was commanded is still in force: silence means stop."""
        tolerance = None if stream.max_age_s is None else round(stream.max_age_s * SECOND_NS)
        return is_fresh(tick.samples.get(stream.key), tick.stamp_ns, tolerance)

    def _measured_opening(self, arm: Arm, tick: AlignedTick[StreamKey]) -> float:
        return self._opening(Kind.GRIPPER, arm, tick) if tick.complete else float("nan")

    def _opening(self, kind: Kind, arm: Arm, tick: AlignedTick[StreamKey]) -> float:
        """Return the opening at a tick: 1 without a gripper, NaN without a sample."""
        if arm.gripper is None:
            return 1.0
        opening = tick.payload(StreamKey(kind, arm.name))
        if opening is None and kind is Kind.GRIPPER and arm.gripper.reports_by_action:
            self.unreported[arm.name] = self.unreported.get(arm.name, 0) + 1
            return UNREPORTED_OPENING
        return float("nan") if opening is None else float(opening)

    def _proprio(self, tick: AlignedTick[StreamKey]) -> npt.NDArray[np.float32]:
        poses: dict[str, Pose] = {}
        openings: dict[str, float] = {}
        for name, column in self.arms.items():
            pose = column.poses[-1]
            if pose is not None:
                poses[name] = pose
            openings[name] = column.openings[-1]
        joints = tick.payload(StreamKey(Kind.JOINTS))
        axes = {name: column.positions[-1] for name, column in self.axes.items()}
        base = None if self.base is None else self.base.states[-1]
        moving = MovingState(base, axes)
        return proprio_vector(self._embodiment, poses, openings, joints, moving)


def aged_streams(embodiment: Embodiment, extras: Sequence[str] = ()) -> tuple[StreamKey, ...]:
    """Return the streams whose sample age is stored with every step, in column order.

    Args:
        embodiment: The robot.
        extras: The names of the columns of what is recorded beside its inputs.
    """
    streams = streams_of(embodiment)
    kinds = (Kind.CAMERA, Kind.POSE, Kind.GRIPPER, Kind.ODOMETRY, Kind.AXIS)
    found = (stream for kind in kinds for stream in streams.of_kind(kind))
    keys = [stream.key for stream in found if not is_reported(stream)]
    return (*keys, *(StreamKey(Kind.EXTRA, name) for name in extras))
