# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot that trails its goals, cameras that work, and a controller in between; no ROS."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from evla_ros.control.controller import Controller, Tick
from evla_ros.control.settings import ControlSettings
from evla_ros.embodiment import load_embodiment
from evla_ros.geometry import Pose, interpolate
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
        self.reported: list[list[Pose]] = [[] for _ in range(arms)]
        self.ticks: list[Tick] = []
        self.controller.set_instruction(self.instruction)
        self.sense()

    def sense(self) -> None:
        c = self.controller
        for index, stream in enumerate(c.inputs.poses):
            if self.poses_on:
                stream.note(self.now_ns, self.now_ns)
                c.arms[index].note_pose(self.now_ns, self.measured[index])
                self.reported[index].append(self.measured[index])
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
        return tick

    def start(self) -> None:
        refusal = self.controller.start(self.now_ns)
        assert refusal is None, refusal

    def chunk(self, *delta: float, opening: float = 1.0) -> np.ndarray:
        """Return K equal actions for every arm."""
        row = [*delta, *([0.0] * (6 - len(delta))), opening]
        k = self.embodiment.action.chunk
        return np.tile(np.array(row * len(self.homes)), (k, 1))

    def run(self, policy: Callable[[], np.ndarray] | None, ticks: int) -> list[Tick]:
        return [self.step(policy) for _ in range(ticks)]
