# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Make a world by name.

A new world is an MJCF file with its `WorldDescription`, a scene in `scenes/`, an expert in
`experts/`, a suite in `tasks/`, and a line in `SUITES`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import cast

from evla_ros.embodiment import Embodiment, load_embodiment
from evla_ros.sim.description import METAWORLD, describe
from evla_ros.sim.errors import SimError
from evla_ros.sim.tasks.humanoid import HUMANOID
from evla_ros.sim.tasks.mobile import MOBILE
from evla_ros.sim.tasks.suite import TaskSuite
from evla_ros.sim.tasks.tabletop import TABLETOP
from evla_ros.sim.world import World

SUITES: Mapping[str, TaskSuite] = MappingProxyType(
    {
        "tabletop_arm": TABLETOP,
        "humanoid_upper_body": HUMANOID,
        "mobile_manipulator": MOBILE,
    }
)


def make_suite(name: str) -> TaskSuite:
    """Return the tasks of a world, without compiling it; raises SimError for an unknown one."""
    description = describe(name)
    if description.name not in SUITES:
        raise SimError(
            f"the world {name!r} has no tasks yet; worlds with tasks: {', '.join(SUITES)}"
        )
    return SUITES[description.name]


def make_world(
    name: str, embodiment: Embodiment | None = None, *, image_size: int = 128, quality: str = "fast"
) -> World:
    """Compile a world with its tasks.

    Args:
        name: one of `WORLDS`.
        embodiment: the robot; the shipped one when None.
        image_size: side of the square camera images in pixels.
        quality: quality of the rendering, `fast` or `pretty`.

    Raises:
        SimError: there is no such world, or the embodiment is not its robot.
    """
    description = describe(name)
    return World(
        description,
        embodiment or load_embodiment(description.embodiment),
        make_suite(name),
        image_size=image_size,
        quality=quality,
    )


def make_any_world(name: str, *, image_size: int = 128, quality: str = "fast") -> World:
    """Compile a world of ours, or return a benchmark's that can stand in for one (`metaworld`).

    A benchmark's world has what collection, films and policies use of a world. It has no arms that
    track goals, so that neither the control core nor a ROS node drives it.

    Raises:
        SimError: there is no such world.
    """
    if name != METAWORLD:
        return make_world(name, image_size=image_size, quality=quality)
    from evla_ros.sim.benchmarks.metaworld.world import MetaWorld

    return cast("World", MetaWorld(image_size=image_size, quality=quality))
