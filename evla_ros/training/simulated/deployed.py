# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A policy that moves the robot of an episode as it does when deployed: through the control core.

Blending, limits and the lag of goals take it to states that its bare actions never reach; those are
the ones that an expert has to answer.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from evla_ros.control.settings import ControlSettings
from evla_ros.geometry.delta import delta_between
from evla_ros.policy.protocol import Policy
from evla_ros.sim.evaluation.closed_loop import ClosedLoop
from evla_ros.sim.world import World
from evla_ros.training.errors import TrainingDataError

Array = npt.NDArray[np.float64]
Move = Callable[[], Array | None]


def deployed(policy: Policy) -> Callable[[World, str], Move]:
    """Return what begins an episode: (world just reset, instruction) -> what moves it by one tick.

    A move returns what was reached, [D] as an action, or None once the controller has stopped.
    Raises TrainingDataError when the policy cannot start or fails: a robot that holds teaches
    nothing.
    """

    def begin(world: World, instruction: str) -> Move:
        loop = ClosedLoop(
            world, policy, ControlSettings(), sees_images=True, charge_inference=False
        )
        steps = round(world.embodiment.goal_rate_hz / world.embodiment.rate_hz)
        blocker = loop.start(instruction)
        if blocker is not None:
            raise TrainingDataError(f"the policy cannot start: {blocker.text}")
        going = True

        def move() -> Array | None:
            nonlocal going
            before = [arm.pose(world.data) for arm in world.arms]
            for _ in range(steps):
                going = going and loop.step()
            if loop.failure:
                raise TrainingDataError(f"the policy failed: {loop.failure}")
            if not going:
                return None
            reached = [
                [*delta_between(pose, arm.pose(world.data)), arm.opening(world.data)]
                for pose, arm in zip(before, world.arms, strict=True)
            ]
            return np.concatenate(reached)

        return move

    return begin
