# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Value gates: rules that an episode must satisfy before it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from evla_ros.embodiment.layout import ActionColumns, columns_of_arms
from evla_ros.errors import EvlaError, nearest

FloatArray = npt.NDArray[np.float64]
GATES = {
    "finite": "a pose, gripper or action number that is NaN or infinite",
    "clock": "a stream whose stamps are on another clock than those of the others",
    "frame": "a pose or goal in another frame than base_frame",
    "language": "an empty instruction",
    "black": "a camera that is black in more than a fifth of the steps",
    "frozen": "a camera that repeats one picture while the robot moves",
    "size": "a camera whose picture size changes",
    "constant": "nothing moves, or the measured pose stands still while commands move",
    "workspace": "poses or goals outside the file's workspace in a tenth of the ticks",
    "step": "actions beyond the limits of the embodiment file in a tenth of the steps",
    "units": "gripper values or joint positions that are in another unit than the file says",
    "embodiment": "a bag recorded with another embodiment file",
}
BLACK_LEVEL = 4.0
BLACK_SHARE = 0.2
FROZEN_TRAVEL_M = 0.03
FROZEN_SECONDS = 1.0
CONSTANT_M = 1e-5
CONSTANT_RAD = 1e-4


class GateError(EvlaError):
    """An episode that breaks a rule and must not be trained on; `gate` names it (see `GATES`)."""

    def __init__(self, gate: str, sentence: str) -> None:
        super().__init__(f"{sentence} (gate {gate!r}; --allow {gate} keeps it)")
        self.gate = gate


def check_gate_names(names: Sequence[str]) -> None:
    """Raise EvlaError for a gate that does not exist."""
    for name in names:
        if name not in GATES:
            raise EvlaError(f"there is no gate {name!r}; {nearest(name, GATES)}")


class Gates:
    """The gates of one conversion; a gate whose name is in `allow` is not applied."""

    def __init__(self, allow: Sequence[str] = ()) -> None:
        check_gate_names(allow)
        self._allow = frozenset(allow)

    def fail(self, gate: str, sentence: str) -> None:
        """Raise GateError unless the gate is allowed."""
        if gate not in self._allow:
            raise GateError(gate, sentence)

    def finite(self, columns: Mapping[str, npt.NDArray[np.float64]]) -> None:
        """Refuse NaN and infinity in any column [T, ...].

        Raises:
            GateError: With the column and its first bad step.
        """
        for name, values in columns.items():
            bad = ~np.isfinite(values).reshape(len(values), -1).all(axis=1)
            if bad.any():
                first = int(np.argmax(bad))
                self.fail(
                    "finite", f"{name} is not finite in {int(bad.sum())} steps, first {first}"
                )

    def language(self, instructions: Sequence[str]) -> None:
        """Refuse an episode in which some step has no instruction.

        Raises:
            GateError: Published loaders hang on datasets without language.
        """
        if any(not text.strip() for text in instructions):
            self.fail("language", "the instruction is empty; give one with --instruction")

    def camera(
        self,
        name: str,
        levels: FloatArray,
        pictures: Sequence[bytes],
        travel_m: FloatArray,
        rate_hz: float,
    ) -> None:
        """Refuse a camera that is black, or that repeats one picture while the robot moves.

        Args:
            name: The camera.
            levels: [T] 99th percentile of each picture's pixel values (0 to 255).
            pictures: T encoded pictures.
            travel_m: [T] distance travelled up to each step, of the arm that moves most [m].
            rate_hz: Steps per second.

        Raises:
            GateError: The camera is black or frozen.
        """
        black = levels < BLACK_LEVEL
        if black.mean() > BLACK_SHARE:
            share = 100.0 * float(black.mean())
            self.fail("black", f"camera {name} is black in {share:.0f} % of the steps")
        start = 0
        for index in range(1, len(pictures) + 1):
            if index < len(pictures) and pictures[index] == pictures[start]:
                continue
            seconds = (index - 1 - start) / rate_hz
            way = float(travel_m[index - 1] - travel_m[start])
            if seconds >= FROZEN_SECONDS and way > FROZEN_TRAVEL_M:
                self.fail(
                    "frozen",
                    f"camera {name} repeats one picture for {seconds:.1f} s from step {start} "
                    f"while the robot moves {way:.3f} m",
                )
            start = index

    def motion(
        self,
        actions: FloatArray,
        moved: FloatArray,
        columns: ActionColumns | None = None,
        others: FloatArray | None = None,
    ) -> None:
        """Refuse an episode in which nothing is asked to move, or never follows.

        Args:
            actions: [T, D].
            moved: [T, A, 2] metres and radians that each arm really moved in each step.
            columns: Where the numbers of an action are; None: 7 of each arm and no others.
            others: [T, M] how fast base and axes really moved; None without them.

        Raises:
            GateError: Nothing moves.
        """
        columns = columns or columns_of_arms(actions.shape[1] // 7)
        per_arm = actions[:, : columns.arms[-1].stop].reshape(len(actions), -1, 7)
        asked_m = np.linalg.norm(per_arm[:, :, :3], axis=2).sum()
        asked_rad = np.linalg.norm(per_arm[:, :, 3:6], axis=2).sum()
        drives = _drives(actions, columns)
        if asked_m < CONSTANT_M and asked_rad < CONSTANT_RAD and not drives:
            nothing = "no arm" if columns.size == columns.arms[-1].stop else "nothing"
            self.fail("constant", f"every action is constant: {nothing} is asked to move")
        done_m, done_rad = moved.sum(axis=(0, 1))
        if asked_m > FROZEN_TRAVEL_M and done_m < CONSTANT_M and done_rad < CONSTANT_RAD:
            self.fail(
                "constant",
                f"goals move {asked_m:.3f} m but the measured pose never changes: a dead topic",
            )
        stands = others is not None and others.size and np.abs(others).max() < CONSTANT_M
        if drives and asked_m < FROZEN_TRAVEL_M and stands:
            self.fail("constant", "base or axes are told to move but never do: a dead topic")


def _drives(actions: FloatArray, columns: ActionColumns) -> bool:
    """Return whether the base or an axis is ever told to move."""
    base = columns.base is not None and np.abs(actions[:, columns.base]).max() > CONSTANT_M
    return bool(base or any(np.ptp(actions[:, axis]) > CONSTANT_M for axis in columns.axes))
