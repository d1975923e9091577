# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Task families that every world with blocks, a bowl and a plate has, and their slots."""

from __future__ import annotations

import numpy as np

from evla_ros.sim.scenes.blocks import COLOURS
from evla_ros.sim.tasks.grammar import Family

SIDES = ("left", "right")
# Horizontal unit vectors [3] in base_frame.
WAYS = {"left": np.array([0.0, 1.0, 0.0]), "right": np.array([0.0, -1.0, 0.0])}
COLOUR = {"colour": tuple(COLOURS)}
COLOUR_SIDE = {**COLOUR, "side": SIDES}

PUSH = Family(
    "push",
    ("push the {colour} block to the {side}", "slide the {colour} block {side}"),
    COLOUR_SIDE,
)
STACK = Family(
    "stack",
    (
        "stack the {colour} block on the {under} block",
        "place the {colour} block on top of the {under} block",
    ),
    {**COLOUR, "under": tuple(COLOURS)},
)
PUT_IN_BOWL = Family(
    "put_in_bowl",
    ("put the {colour} block in the bowl", "drop the {colour} block into the bowl"),
    COLOUR,
)
PUT_ON_PLATE = Family(
    "put_on_plate",
    ("put the {colour} block on the plate", "place the {colour} block on the plate"),
    COLOUR,
)
DISHES = {PUT_IN_BOWL.name: "bowl", PUT_ON_PLATE.name: "plate"}
