# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A policy of your own: it is asked with what the robot sees, and answers with a chunk of actions.

    export PYTHONPATH=examples:$PYTHONPATH
    evla eval sim --policy scripted:write_a_policy:GoThere --tasks reach --episodes 2
    evla run policy --set policy=scripted checkpoint=write_a_policy:GoThere
    evla serve scripted:write_a_policy:GoThere --embodiment tabletop_arm

The class is built with the robot; speed limits, workspace and stops are not its business.
"""

from __future__ import annotations

import numpy as np

from evla_ros import Chunk, Embodiment, Observation
from evla_ros.embodiment import action_columns, proprio_layout

PLACE_M = np.array([0.5, 0.0, 0.3])  # in the robot's base frame
STEP_M = 0.02


class GoThere:
    """Moves the first tool to a place in a straight line, and closes the gripper there."""

    embodiment_hash = ""  # fits any robot; a policy for one robot has its content_hash here

    def __init__(self, robot: Embodiment) -> None:
        self.chunk_length = robot.action.chunk
        self._columns = action_columns(robot)
        self.action_dim = self._columns.size
        self._position = proprio_layout(robot).slice_of(f"{robot.arms[0].name}_ee_position")
        self.reset()

    def reset(self) -> None:
        """Forget the episode; called when a new one starts."""
        self._arrived = False

    def infer(self, observation: Observation) -> Chunk:
        """Return [chunk_length, action_dim] actions: metres, radians and openings (1 is open)."""
        here = observation.proprio[self._position].astype(float)
        actions = np.zeros((self.chunk_length, self.action_dim))
        arm = self._columns.arms[0]  # x y z, a rotation vector, then the gripper
        for action in actions:
            way = PLACE_M - here
            far = float(np.linalg.norm(way))
            self._arrived = self._arrived or far < 0.01
            step = way * min(1.0, STEP_M / max(far, 1e-9))
            action[arm.start : arm.start + 3] = step
            action[arm.stop - 1] = 0.0 if self._arrived else 1.0
            here = here + step
        return Chunk(observation.stamp_ns, actions)
