# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot that trails its goals, cameras that work, and a controller in between; no ROS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from evla_ros.control.controller import Controller
from evla_ros.control.limits.motion import moved
from evla_ros.control.settings import ControlSettings
from evla_ros.control.ticks import Tick
from evla_ros.embodiment import load_embodiment
from evla_ros.geometry import Pose, compose, interpolate
from evla_ros.policy.types import Chunk

START_NS = 1_000_000_000_000
TICK_NS = 20_000_000


@dataclass
class Rig:
    """Ticks at 50 Hz; `follow` is the part of the way to its goal that the robot goes per tick."""

    name: str = "tabletop_arm"
    settings: ControlSettings = field(default_factory=ControlSettings)
    follow: float = 0.4
    home: Pose = field(default_factory=lambda: Pose.from_xyz_rpy([0.45, 0.0, 0.3], [3.1, 0.0, 0.0]))
    instruction: str = "lift the red block"

    def __post_init__(self) -> None:
        self.embodiment = load_embodiment(self.name)
        self.controller = Controller(self.embodiment, self.settings)
        self.now_ns, self.monotonic_ns = START_NS, 5_000_000_000
        self.cameras_on = self.poses_on = True
        arms = len(self.embodiment.arms)
        self.homes = [self.home] * arms
        if arms == 2:
            self.homes = [Pose.from_xyz_rpy([0.4, y, 0.3], [3.1, 0, 0]) for y in (0.2, -0.2)]
        self.measured = list(self.homes)
        self.place, self.velocity = Pose.identity(), np.zeros(3)
        self.positions = [0.5 * (a.limits.min + a.limits.max) for a in self.embodiment.axes]
        self.odometry_on = self.axes_on = True
        self.reported: list[list[Pose]] = [[] for _ in range(arms)]
        self.ticks: list[Tick] = []
        self.controller.set_instruction(self.instruction)
        self.settle()

    def settle(self) -> None:
        """Let the robot stand still for long enough that its poses are confirmed."""
        now_ns = self.now_ns
        for back_ns in range(round(self.settings.pose_confirm_s * 1e9), 0, -50_000_000):
            self.now_ns = now_ns - back_ns
            self.sense()
        self.now_ns = now_ns
        self.sense()

    def sense(self) -> None:
        c = self.controller
        for index in range(len(c.arms)):
            if self.poses_on:
                c.note_pose(index, self.now_ns, self.measured[index], self.now_ns)
                self.reported[index].append(self.measured[index])
        if self.odometry_on:
            c.note_odometry(self.now_ns, self.place, self.velocity, self.now_ns)
        for index, position in enumerate(self.positions):
            if self.axes_on:
                c.note_axis(index, self.now_ns, position, self.now_ns)
        for gripper in c.inputs.grippers:
            if gripper is not None:
                gripper.note(self.now_ns, self.now_ns)
        if self.cameras_on:
            for stream in c.inputs.cameras.values():
                stream.note(self.now_ns, self.now_ns)

    def step(self, policy: Callable[[], np.ndarray] | None = None, ns: int = TICK_NS) -> Tick:
        self.now_ns += ns
        self.monotonic_ns += ns
        self.sense()
        c = self.controller
        if policy is not None and c.wants_inference(self.now_ns):
            c.policy.begin(self.now_ns)
            c.accept(Chunk(self.now_ns, policy(), 1_000_000), c.epoch, self.now_ns)
        tick = c.tick(self.now_ns, self.monotonic_ns)
        self.ticks.append(tick)
        for index, arm in enumerate(tick.arms):
            if arm.goal is not None:
                self.measured[index] = interpolate(self.measured[index], arm.goal, self.follow)
        self.drive(np.zeros(3) if tick.told.base is None else np.array(tick.told.base), ns / 1e9)
        for index, goal in enumerate(tick.told.axes):
            if goal is not None:
                self.positions[index] += self.follow * (goal - self.positions[index])
        return tick

    def drive(self, velocity: np.ndarray, passed_s: float) -> None:
        """Let the base move as it is told."""
        self.velocity = velocity
        linear, angular = np.array([*velocity[:2], 0.0]), np.array([0.0, 0.0, velocity[2]])
        self.place = compose(self.place, moved(Pose.identity(), linear, angular, passed_s))

    def hold_takes_s(self, metres: float, arm: int = 0) -> float:
        """Return the longest time [s] for a goal at full speed to get back over that distance."""
        limits = self.embodiment.arms[arm].limits
        speed, acceleration = limits.max_speed_m_s, limits.max_acceleration_m_s2
        return metres / speed + 2.5 * speed / acceleration + 6 * TICK_NS / 1e9

    def start(self) -> None:
        refusal = self.controller.start(self.now_ns)
        assert refusal is None, refusal

    def chunk(
        self,
        *delta: float,
        opening: float = 1.0,
        base: tuple[float, ...] = (0.0, 0.0, 0.0),
        axes: tuple[float, ...] = (),
    ) -> np.ndarray:
        """Return K equal actions for every arm, the base and the axes (which stay by default)."""
        row = [*delta, *([0.0] * (6 - len(delta))), opening] * len(self.homes)
        row += [] if self.embodiment.base is None else base
        row += axes or self.positions
        return np.tile(np.array(row), (self.embodiment.action.chunk, 1))

    def run(self, policy: Callable[[], np.ndarray] | None, ticks: int) -> list[Tick]:
        return [self.step(policy) for _ in range(ticks)]
