# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Hold what the embodiment file declares against what was recorded: units, ranges and limits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from evla_ros.data.alignment.spans import Span
from evla_ros.data.convert.columns import ArmColumn, TickColumns
from evla_ros.data.convert.gates import Gates
from evla_ros.data.convert.readers import ValueRange
from evla_ros.embodiment import Arm, Embodiment, Gripper, proprio_layout
from evla_ros.geometry.pose import Pose, distance

FloatArray = npt.NDArray[np.float64]
SHARE = 0.1  # of the ticks or messages above which a fact is wrong, not exceeded now and then
MARGIN = 0.1  # of the way from closed to open that a gripper may go beyond
MILLIMETRES = 10.0  # no workspace is that long [m]
TURNS_RAD = 4 * np.pi  # no arm joint is wound up further
SETTLED_S = 1.0  # a gripper has followed its command after this
OPEN, CLOSED = 0.9, 0.1
DRIVES = 0.02  # a base that is faster moves [m/s, rad/s]


class Facts:
    """Checks one recording; what only happens now and then becomes a note."""

    def __init__(
        self,
        columns: TickColumns,
        spans: Sequence[Span],
        ranges: Mapping[str, ValueRange],
        embodiment: Embodiment,
        gates: Gates,
    ) -> None:
        """Take what was recorded.

        Args:
            columns: The decoded ticks.
            spans: Those that episodes were made of.
            ranges: Device values of gripper states and commands, by stream.
            embodiment: The robot.
            gates: What a wrong fact is refused with.
        """
        self._columns, self._embodiment, self._gates = columns, embodiment, gates
        self._ranges = ranges
        self._ticks = [tick for span in spans for tick in range(span.start, span.stop)]
        self._spans = spans

    def check(self, source: str) -> list[str]:
        """Return notes; `source` is what actions are made of, `commanded` or `achieved`.

        Raises:
            GateError: A fact of the file is wrong in more than a tenth of the recording.
        """
        notes: list[str] = []
        for arm in self._embodiment.arms:
            column = self._columns.arms[arm.name]
            notes += self._workspace(arm, column, source)
            notes += self._steps(arm, column, source)
            if arm.gripper is not None:
                self._device_range(arm.name, arm.gripper)
                notes += self._gripper(arm.name, arm.gripper, column)
        self._joints()
        self._base(source)
        return notes

    def _base(self, source: str) -> None:
        """Refuse a base that drives without a command: its actions would say that it stands."""
        base = self._columns.base
        if base is None or source != "commanded":
            return
        if any(base.commands[t] is not None for t in self._ticks):
            return
        speeds = [np.abs(s.velocity).max() for t in self._ticks if (s := base.states[t])]
        if speeds and max(speeds) > DRIVES:
            self._gates.fail(
                "constant",
                "no velocity command is in force at any tick while the odometry drives; "
                "--action-source achieved takes the measured velocity",
            )

    def _workspace(self, arm: Arm, column: ArmColumn, source: str) -> Iterator[str]:
        low, high = (np.array(c) for c in _corners(arm))
        paths = {"pose": column.poses}
        if source == "commanded":
            paths["goal"] = column.goals
        for kind, poses in paths.items():
            points = [p.position_m for t in self._ticks if (p := poses[t]) is not None]
            if not points:
                continue
            beyond = np.maximum(low - points, points - high).max(axis=1)
            share = float((beyond > 0).mean())
            worst = points[int(np.argmax(beyond))]
            told = (
                f"{kind}:{arm.name} is outside the workspace of the embodiment file in "
                f"{share:.0%} of the ticks, as far as {np.round(worst, 3).tolist()} m"
            )
            if float(np.median(np.abs(points).max(axis=1))) > MILLIMETRES:
                told += " (millimetres?)"
            if share > SHARE:
                self._gates.fail("workspace", told)
            if share > 0.0:
                yield told

    def _steps(self, arm: Arm, column: ArmColumn, source: str) -> Iterator[str]:
        limits = arm.limits
        steps = []
        for span in self._spans:
            ticks = range(span.start, span.stop)
            path = [self._asked(column, tick, source) for tick in ticks]
            known = [pose for pose in path if pose is not None]
            steps += [distance(a, b) for a, b in itertools.pairwise(known)]
        if not steps:
            return
        moves = np.array(steps)
        over = (moves[:, 0] > limits.max_step_m) | (moves[:, 1] > limits.max_step_rad)
        if not over.any():
            return
        metres, radians = moves.max(axis=0)
        told = (
            f"{int(over.sum())} of {len(moves)} actions of arm {arm.name} exceed its limits "
            f"(max_step_m {limits.max_step_m:g}, max_step_rad {limits.max_step_rad:g}): up to "
            f"{metres:.3g} m and {radians:.3g} rad"
        )
        if over.mean() > SHARE:
            self._gates.fail("step", told)
        yield told

    @staticmethod
    def _asked(column: ArmColumn, tick: int, source: str) -> Pose | None:
        goal = column.goals[tick]
        return goal if source == "commanded" and goal is not None else column.poses[tick]

    def _device_range(self, arm: str, gripper: Gripper) -> None:
        """Refuse device values far outside closed to open: they are in another unit."""
        for kind in ("gripper", "gripper_command"):
            found = self._ranges.get(f"{kind}:{arm}")
            if found is None or not found.count:
                continue
            if found.outside / found.count > SHARE:
                state = kind == "gripper"
                closed, opened = gripper.state_ends if state else (gripper.closed, gripper.open)
                self._gates.fail(
                    "units",
                    f"{kind}:{arm} goes from {found.low:g} to {found.high:g}, beyond closed "
                    f"{closed:g} to open {opened:g} of the embodiment file: is it in another unit?",
                )

    def _gripper(self, arm: str, gripper: Gripper, column: ArmColumn) -> Iterator[str]:
        measured = np.array([column.openings[t] for t in self._ticks])
        asked = np.array([column.commands[t] for t in self._ticks])
        if not len(measured):
            return
        if np.isnan(asked).all():
            yield (
                f"no message on the command topic {gripper.command}: what the gripper of arm {arm} "
                "was told is taken from how its measured opening changes"
            )
            return
        opened = measured[_held(asked >= OPEN, self._embodiment.rate_hz)]
        closed = measured[_held(asked <= CLOSED, self._embodiment.rate_hz)]
        found = self._ranges.get(f"gripper:{arm}")
        span = "" if found is None else f" (its values go from {found.low:g} to {found.high:g})"
        if len(opened) and len(closed) and np.median(closed) - np.median(opened) > 0.3:
            self._gates.fail(
                "units",
                f"gripper:{arm} opens when it is told to close{span}: are open and closed swapped?",
            )
        elif len(opened) and float(opened.max()) < 0.5:
            self._gates.fail(
                "units",
                f"gripper:{arm} is told to open and its state says at most "
                f"{float(opened.max()):.2f} of the way from closed to open{span}: is the state in "
                "another unit than the command? Give state_open and state_closed",
            )
        elif len(opened) and len(closed) and float(np.ptp(measured)) < 0.01:
            self._gates.fail(
                "constant", f"gripper:{arm} is told to move and its state never changes"
            )

    def _joints(self) -> None:
        """Refuse joint positions that no joint reaches in radians."""
        layout = proprio_layout(self._embodiment)
        rows = [row for t in self._ticks if (row := self._columns.proprio[t]) is not None]
        if not rows:
            return
        state = np.stack(rows)
        for feature in layout.features:
            if feature.kind != "joint":
                continue
            for place, label in enumerate(feature.labels, feature.start):
                low, high = float(state[:, place].min()), float(state[:, place].max())
                if max(-low, high) > TURNS_RAD:
                    self._gates.fail(
                        "units",
                        f"joint {label} goes from {low:.1f} to {high:.1f}: degrees? JointState is "
                        "in radians",
                    )


def _corners(arm: Arm) -> tuple[Sequence[float], Sequence[float]]:
    return arm.limits.workspace_min_m, arm.limits.workspace_max_m


def _held(mask: npt.NDArray[np.bool_], rate_hz: float) -> npt.NDArray[np.bool_]:
    """Return [N], True where `mask` has held for as long as a gripper takes to follow."""
    ticks = max(1, round(SETTLED_S * rate_hz))
    held: npt.NDArray[np.bool_] = mask.copy()
    for back in range(1, ticks):
        held[back:] &= mask[:-back]
        held[:back] = False
    return held
