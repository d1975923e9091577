# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot that trails its goals, sources that lie about it, and policies that emit anything."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from evla_ros.control.limits.motion import moved
from evla_ros.geometry import Pose, compose, interpolate
from evla_ros.geometry.rotation import from_rotvec, multiply

KINDS = (
    "none",
    "glitch",
    "stuck",
    "default",
    "drift",
    "second",
    "dropout",
    "absurd",
    "ahead",
    "noise",
)


@dataclass
class Arm:
    """Where an arm truly is, and what its pose source says."""

    rng: np.random.Generator
    pose: Pose
    home: Pose
    lag_s: float
    kind: str = "none"
    left_s: float = 0.0
    lie: Pose = field(default_factory=Pose.identity)
    way_m_s: np.ndarray = field(default_factory=lambda: np.zeros(3))

    def follow(self, goal: Pose | None, passed_s: float) -> None:
        """Trail the goal; a stuck arm (infinite lag) does not move."""
        if goal is not None and passed_s > 0.0:
            self.pose = interpolate(self.pose, goal, 1.0 - math.exp(-passed_s / self.lag_s))

    def handle(self, passed_s: float, centre: np.ndarray) -> None:
        """Let a person move it about."""
        way = centre + self.rng.normal(0.0, 0.3, 3) - self.pose.position_m
        step = way * min(1.0, 0.3 * passed_s / max(np.linalg.norm(way), 1e-9))
        self.pose = Pose(self.pose.position_m + step, self.pose.quaternion_xyzw)

    def begin_lie(self, longest_s: float) -> None:
        """Choose how to lie, and for how long."""
        rng = self.rng
        self.kind = str(rng.choice(KINDS))
        self.left_s = float(rng.uniform(0.0, longest_s))
        self.lie = Pose(self.pose.position_m + rng.normal(0, 0.4, 3), rng.normal(0, 1, 4))
        self.way_m_s = rng.normal(0.0, 1.0, 3) * rng.choice([0.1, 1.0, 4.0])

    def says(self, passed_s: float) -> list[tuple[float, Pose]]:
        """Return what arrives in this tick: how far ahead of the clock it is stamped [s], pose."""
        self.left_s -= passed_s
        if self.left_s <= 0.0:
            self.kind = "none"
        true = (0.0, self.pose)
        if self.kind == "dropout":
            return []
        if self.kind in ("glitch", "second"):
            false = (0.0, self.lie)
            first = self.kind == "glitch" and self.rng.random() < 0.7
            return [true] if first else [true, false] if self.rng.random() < 0.5 else [false, true]
        if self.kind == "stuck":
            return [(0.0, self.lie)]
        if self.kind == "default":
            return [(0.0, Pose.identity())]
        if self.kind == "drift":
            self.lie = Pose(
                self.lie.position_m + self.way_m_s * passed_s, self.pose.quaternion_xyzw
            )
            return [(0.0, self.lie)]
        if self.kind == "absurd":
            size = self.rng.choice([1e308, -1e308, 1e30, 1e9, 2e3])
            return [(0.0, Pose(np.array([size, 0.0, size]), self.pose.quaternion_xyzw)), true]
        if self.kind == "ahead":
            return [(float(self.rng.choice([0.05, 0.9, 5.0, 3600.0])), self.lie), true]
        if self.kind == "noise":
            turn = from_rotvec(self.rng.normal(0.0, 0.02, 3))
            noisy = self.pose.position_m + self.rng.normal(0.0, 0.003, 3)
            return [(0.0, Pose(noisy, multiply(turn, self.pose.quaternion_xyzw)))]
        return [true]


class Wheels:
    """A base that drives as it is told, more or less, and odometry that may lie about it."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.arm = Arm(rng, Pose.identity(), Pose.identity(), 0.1)
        self.velocity = np.zeros(3)
        self.share = float(rng.choice([1.0, 0.9, 0.0]))

    def drive(self, velocity: tuple[float, ...] | None, passed_s: float) -> None:
        """Go as told; silence stops."""
        self.velocity = self.share * np.array(velocity or (0.0, 0.0, 0.0))
        linear, turn = np.array([*self.velocity[:2], 0.0]), np.array([0.0, 0.0, self.velocity[2]])
        way = moved(Pose.identity(), linear, turn, min(passed_s, 0.5))
        self.arm.pose = compose(self.arm.pose, way)

    def says(self) -> np.ndarray:
        """Return the velocity that the odometry tells."""
        false = self.arm.rng.choice([0.0, 1e3, -50.0, 5.0], 3)
        return false if self.arm.kind in ("absurd", "stuck") else self.velocity


def some_actions(rng: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    """Return what a policy, mostly a broken one, may return."""
    kind = rng.choice(["sane", "sane", "extremes", "turns", "numbers", "nan", "shape", "walk"])
    if kind == "shape":
        return np.zeros((int(rng.integers(0, 12)), int(rng.integers(1, 16))))
    actions = rng.uniform(-0.06, 0.06, (rows, columns))
    if kind == "extremes":
        signs = np.where(np.arange(rows)[:, None] % 2, 1.0, -1.0)
        actions = signs * np.ones(columns) * rng.choice([0.05, 1.0, 1e3, 1e30, 1e308])
    elif kind == "turns":
        actions[:, 3:6] = rng.choice([math.pi, -math.pi, 3.0, 180.0, 0.2])
    elif kind == "numbers":
        actions *= 10.0 ** rng.integers(-12, 300, (rows, columns))
    elif kind == "nan":
        actions[rng.integers(rows), rng.integers(columns)] = rng.choice([math.nan, math.inf])
    elif kind == "walk":
        actions[:] = rng.uniform(-0.05, 0.05, columns)
    actions[:, 6::7] = rng.uniform(-0.5, 1.5) if kind != "nan" else actions[:, 6::7]
    return actions
