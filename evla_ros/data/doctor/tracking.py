# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compare commanded with achieved motion: delay, scale (units) and axes (frame)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evla_ros.data.doctor.arms import ArmColumns
from evla_ros.data.doctor.context import SetContext
from evla_ros.data.doctor.finding import DatasetFinding
from evla_ros.data.doctor.summary import EpisodeSummary
from evla_ros.geometry.rotation import conjugate, multiply, to_rotvec

FloatArray = npt.NDArray[np.float64]
EARLIEST, LATEST = -3, 8  # steps
UNRELATED = 0.3
LATE = 3
SCALES = ((1e-3, "1000 times too large (millimetres?)"), (1e3, "1000 times too small"))
DEGREES = (np.pi / 180.0, "57 times too large (degrees?)")
TURNED_RAD = 0.5
Vectors = Callable[[EpisodeSummary, ArmColumns], tuple[FloatArray, FloatArray] | None]


@dataclass(frozen=True)
class Tracking:
    """How achieved motion relates to commanded motion, at the delay where they correlate best."""

    delay: int  # steps; 0: the action's motion shows in the next state
    correlation: float
    slope: float  # achieved per commanded
    turned_rad: float  # rotation that best maps commanded to achieved vectors
    turned_correlation: float


def check_tracking(episodes: Sequence[EpisodeSummary], context: SetContext) -> list[DatasetFinding]:
    """Estimate the delay, the units and the frame of every arm from its own data."""
    findings: list[DatasetFinding] = []
    for arm in context.arms:
        moved = measure(episodes, arm, translations)
        if moved is not None:
            findings += _delay(arm.name, moved, context)
            findings += _scale(f"{arm.name} translation", moved, SCALES)
            findings += _frame(arm.name, moved)
        turned = measure(episodes, arm, rotations)
        if turned is not None:
            findings += _scale(f"{arm.name} rotation", turned, (DEGREES,))
    return findings


def translations(episode: EpisodeSummary, arm: ArmColumns) -> tuple[FloatArray, FloatArray] | None:
    """Return the commanded [T, 3] and the achieved [T - 1, 3] translation of each step [m].

    None when the state holds no positions.
    """
    positions = arm.positions(episode.state)
    if positions is None or len(positions) < 2:
        return None
    start = arm.action.start
    return episode.action[:, start : start + 3].astype(np.float64), np.diff(positions, axis=0)


def rotations(episode: EpisodeSummary, arm: ArmColumns) -> tuple[FloatArray, FloatArray] | None:
    """Return the commanded [T, 3] and the achieved [T - 1, 3] rotation of each step, base frame.

    They are rotation vectors [rad]. None when the state holds no rotations.
    """
    quaternions = arm.quaternions(episode.state)
    if quaternions is None or len(quaternions) < 2:
        return None
    achieved = to_rotvec(multiply(quaternions[1:], conjugate(quaternions[:-1])))
    start = arm.action.start + 3
    return episode.action[:, start : start + 3].astype(np.float64), np.asarray(achieved)


def measure(
    episodes: Sequence[EpisodeSummary],
    arm: ArmColumns,
    vectors: Vectors,
) -> Tracking | None:
    """Correlate commanded with achieved vectors at every delay; None when nothing moves."""
    pairs = [pair for e in episodes if (pair := vectors(e, arm)) is not None]
    best: Tracking | None = None
    for delay in sorted(range(EARLIEST, LATEST + 1), key=abs):
        command, achieved = _shifted(pairs, delay)
        if len(command) < 10 or np.ptp(command) < 1e-9 or np.ptp(achieved) < 1e-9:
            continue
        correlation = _cosine(command, achieved)
        if best is None or correlation > best.correlation + 1e-3:
            slope = float((command * achieved).sum() / (command**2).sum())
            angle, turned = _best_turn(command, achieved)
            best = Tracking(delay, correlation, slope, angle, turned)
    return best


def _shifted(
    pairs: Sequence[tuple[FloatArray, FloatArray]], delay: int
) -> tuple[FloatArray, FloatArray]:
    commands, achieved = [np.zeros((0, 3))], [np.zeros((0, 3))]
    for command, motion in pairs:
        first, count = max(0, -delay), len(motion)
        last = min(count, count - delay)
        if last > first:
            commands.append(command[first:last])
            achieved.append(motion[first + delay : last + delay])
    return np.concatenate(commands), np.concatenate(achieved)


def _cosine(first: FloatArray, second: FloatArray) -> float:
    size = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / size) if size > 0 else 0.0


def _best_turn(command: FloatArray, achieved: FloatArray) -> tuple[float, float]:
    """Return the angle [rad] and correlation of the rotation that best maps command to achieved."""
    left, _, right = np.linalg.svd(achieved.T @ command)
    flip = np.diag([1.0, 1.0, float(np.sign(np.linalg.det(left @ right)))])
    turn = left @ flip @ right
    angle = float(np.arccos(np.clip((np.trace(turn) - 1.0) / 2.0, -1.0, 1.0)))
    return angle, _cosine(command @ turn.T, achieved)


def _delay(name: str, tracking: Tracking, context: SetContext) -> list[DatasetFinding]:
    where = f"{name} action and state"
    if max(tracking.correlation, tracking.turned_correlation) < UNRELATED:
        message = (
            f"commanded motion hardly shows in the state (correlation {tracking.correlation:.2f})"
        )
        fix = "check that pose topic, goal topic and arm belong together"
        return [DatasetFinding("tracking", "warning", where, message, fix)]
    message = f"achieved motion follows the action by {context.steps(tracking.delay)}"
    if tracking.delay < 0:
        fix = "actions describe the past: check stamps, or derive actions from achieved poses"
        return [DatasetFinding("tracking", "error", where, message, fix)]
    if tracking.delay >= LATE:
        fix = "a slow controller or late state stamps: consider `source: achieved`"
        return [DatasetFinding("tracking", "warning", where, message, fix)]
    return [DatasetFinding("tracking", "info", where, message, "none needed")]


def _scale(
    where: str, tracking: Tracking, suspects: Sequence[tuple[float, str]]
) -> list[DatasetFinding]:
    if tracking.correlation < UNRELATED:
        return []
    for factor, suspicion in suspects:
        if factor / 3 < tracking.slope < factor * 3:
            message = (
                f"actions look {suspicion}: achieved motion is {tracking.slope:.3g} of commanded"
            )
            fix = "metres and radians are expected: correct the units and convert again"
            return [DatasetFinding("units", "error", where, message, fix)]
    return []


def _frame(name: str, tracking: Tracking) -> list[DatasetFinding]:
    gain = tracking.turned_correlation - max(tracking.correlation, 0.0)
    if tracking.turned_rad < TURNED_RAD or gain < 0.15 or tracking.turned_correlation < 0.6:
        return []
    degrees = np.degrees(tracking.turned_rad)
    message = f"achieved motion is turned by {degrees:.0f} degrees against the commanded one"
    fix = "the commands are in another frame than base_frame, or axes are swapped"
    return [DatasetFinding("frame", "error", f"{name} translation", message, fix)]
