# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A policy closes the loop on a world through the policy node's control core, in simulated time."""

from __future__ import annotations

import time
from collections import Counter

import numpy as np

from evla_ros.control.controller import Controller
from evla_ros.control.reasons import Finding, Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.control.ticks import Tick
from evla_ros.errors import EvlaError
from evla_ros.policy.protocol import Policy
from evla_ros.policy.types import Chunk, Observation
from evla_ros.sim.world import World
from evla_ros.units import SECOND_NS

# Reset leaves simulated time at 0, which a message stamp reserves for "unknown".
START_NS = SECOND_NS


class ClosedLoop:
    """Controller, policy and world on one clock; `step` is one tick of the goal rate."""

    def __init__(
        self,
        world: World,
        policy: Policy,
        settings: ControlSettings,
        *,
        sees_images: bool,
        charge_inference: bool,
        added_latency_s: float = 0.0,
    ) -> None:
        """Take a world that was just reset.

        Args:
            world: the robot.
            policy: what answers observations.
            settings: settings of the control core.
            sees_images: whether the policy looks at images; without, none are rendered.
            charge_inference: whether a chunk comes as late as it took to compute.
            added_latency_s: how much later every chunk comes.
        """
        self.world, self._policy, self._settings = world, policy, settings
        self._sees_images, self._charge = sees_images, charge_inference
        self._added_ns = round(added_latency_s * 1e9)
        self.controller = Controller(world.embodiment, settings, simulated_clock=True)
        self._tick_s = 1.0 / world.embodiment.goal_rate_hz
        self._under_way: tuple[Chunk, int, int] | None = None
        self.goals = self.limited = 0
        self.holds: Counter[str] = Counter()
        self.inference_ms: list[float] = []
        self.path_m = np.zeros(len(world.arms))
        self._last_m = self._positions()
        self.failure = ""

    @property
    def now_ns(self) -> int:
        """Simulated time on the controller's clock."""
        return START_NS + self.world.time_ns

    def start(self, instruction: str) -> Finding | None:
        """Let the robot move; returns why not."""
        # It has stood like this since the reset, for as long as a first pose has to be confirmed.
        self._sense(before_ns=round(self._settings.pose_confirm_s * 1e9))
        self._sense()
        self.controller.set_instruction(instruction)
        return self.controller.start(self.now_ns)

    def step(self) -> bool:
        """Advance by one goal tick; False when the controller has stopped for good."""
        now_ns = self.now_ns
        self._sense()
        self._deliver(now_ns)
        if self.controller.wants_inference(now_ns):
            self._infer(now_ns)
            self._deliver(now_ns)
        tick = self.controller.tick(now_ns, now_ns)
        self._count(tick)
        for arm, command in zip(self.world.arms, tick.arms, strict=True):
            self.world.command(arm.name, command.goal, command.opening)
        if tick.told.base is not None:
            self.world.command_base(np.array(tick.told.base))
        for number, position in enumerate(tick.told.axes):
            if position is not None:
                self.world.command_axis(number, position)
        self.world.step(self._tick_s)
        positions = self._positions()
        self.path_m += np.linalg.norm(positions - self._last_m, axis=1)
        self._last_m = positions
        return self.controller.started

    def clipped(self) -> dict[str, int]:
        """Return what the limits changed, by `part.limit`."""
        return {
            f"{part.name}.{reason.name.lower()}": count
            for part in self.controller.parts.channels
            for reason, count in sorted(part.clips.items())
            if count
        }

    def _sense(self, before_ns: int = 0) -> None:
        now_ns, inputs = self.now_ns - before_ns, self.controller.inputs
        for i, arm in enumerate(self.world.arms):
            self.controller.note_pose(i, now_ns, arm.pose(self.world.data), now_ns)
            gripper = inputs.grippers[i]
            if gripper is not None:
                gripper.note(now_ns, now_ns)
        base, data = self.world.base, self.world.data
        if base is not None:
            pose, velocity = base.pose(data), base.velocity(data)
            self.controller.note_odometry(now_ns, pose, velocity, now_ns)
        for number, axis in enumerate(self.world.axes):
            self.controller.note_axis(number, now_ns, axis.position(data), now_ns)
        for camera in inputs.cameras.values():
            camera.note(now_ns, now_ns)

    def _infer(self, now_ns: int) -> None:
        world, instruction = self.world, self.controller.inputs.instruction
        images = world.images() if self._sees_images else {}
        observation = Observation(now_ns, images, world.proprio(), instruction)
        self.controller.policy.begin(now_ns)
        before_ns = time.perf_counter_ns()
        try:
            chunk = self._policy.infer(observation)
        except EvlaError as error:
            self.failure = str(error)
            self.controller.policy.failed(Finding(Reason.POLICY_FAILED, str(error)), now_ns)
            return
        took_ns = time.perf_counter_ns() - before_ns
        self.inference_ms.append(took_ns / 1e6)
        due_ns = now_ns + self._added_ns + (took_ns if self._charge else 0)
        self._under_way = (chunk, self.controller.epoch, due_ns)

    def _deliver(self, now_ns: int) -> None:
        if self._under_way is not None and self._under_way[2] <= now_ns:
            chunk, epoch, _ = self._under_way
            self._under_way = None
            self.controller.accept(chunk, epoch, now_ns)
            failure = self.controller.policy.failure
            self.failure = failure.text if failure is not None else self.failure

    def _count(self, tick: Tick) -> None:
        if tick.moving:
            self.goals += 1
            self.limited += tick.finding.reason is Reason.MOVING_LIMITED
        else:
            self.holds[tick.finding.reason.name.lower()] += 1

    def _positions(self) -> np.ndarray:
        return np.stack([arm.pose(self.world.data).position_m for arm in self.world.arms])
