# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Can a block be taken, and is there room where it should go? Shared by all suites."""

from __future__ import annotations

import mujoco
import numpy as np
import numpy.typing as npt

from evla_ros.sim.scenes.blocks import HALF_M, BlockScene

Array = npt.NDArray[np.float64]
_ON_TOP_M = 0.04
_IN_DISH_M = 0.085


def top_is_clear(scene: BlockScene, data: mujoco.MjData, colour: str) -> bool:
    """Return whether no other block lies on a block."""
    block = scene.block(data, colour)
    offsets = [scene.block(data, other) - block for other in scene.colours if other != colour]
    return not any(np.hypot(*o[:2]) < _ON_TOP_M and o[2] > HALF_M for o in offsets)


def dish_is_empty(scene: BlockScene, data: mujoco.MjData, dish_m: Array, colour: str) -> bool:
    """Return whether no block but this one is in (or right above) a bowl or on a plate."""
    others = [scene.block(data, other) for other in scene.colours if other != colour]
    return all(away(block, dish_m) > _IN_DISH_M for block in others)


def away(a: Array, b: Array) -> float:
    """Return the horizontal distance of two points [3] in metres."""
    return float(np.hypot(a[0] - b[0], a[1] - b[1]))
