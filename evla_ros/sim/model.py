# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compile a world: read its MJCF, attach one arm per binding, set who collides with whom."""

from __future__ import annotations

from pathlib import Path

import mujoco

from evla_ros.sim.description import ArmBinding, WorldDescription

ASSETS = Path(__file__).parent / "assets"
STATIC_BIT = 1
_ARM_BITS = 12


def compile_model(description: WorldDescription) -> mujoco.MjModel:
    """Return the compiled MuJoCo model of a world with its arms."""
    world = mujoco.MjSpec.from_file(str(ASSETS / description.mjcf))
    for arm in description.arms:
        _attach(world, arm)
    return world.compile()


def _attach(world: mujoco.MjSpec, arm: ArmBinding) -> None:
    part = mujoco.MjSpec.from_file(str(ASSETS / "arm.xml"))
    others = _ARM_BITS & ~arm.collision_bit
    for geom in part.geoms:
        if geom.contype:
            geom.contype = arm.collision_bit
            geom.conaffinity = STATIC_BIT | others
    world.attach(part, prefix=arm.prefix, site=world.site(arm.mount))
