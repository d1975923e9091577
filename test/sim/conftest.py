# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Worlds are compiled once for the session: compiling is the slow part, resetting is not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

pytest.importorskip("mujoco", reason="MuJoCo is not installed: pip install 'evla_ros[sim]'")

from evla_ros.sim.errors import SimError
from evla_ros.sim.gl_backend import choose_backend
from evla_ros.sim.world import World
from evla_ros.sim.worlds import make_world


@pytest.fixture(scope="session")
def tabletop() -> Iterator[World]:
    world = make_world("tabletop_arm", image_size=96)
    yield world
    world.close()


@pytest.fixture(scope="session")
def backend() -> str:
    try:
        return choose_backend()
    except SimError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def humanoid() -> Iterator[World]:
    world = make_world("humanoid_upper_body", image_size=96)
    yield world
    world.close()


@pytest.fixture(params=["tabletop", "humanoid"])
def world(request: pytest.FixtureRequest) -> World:
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def mobile() -> Iterator[World]:
    world = make_world("mobile_manipulator", image_size=96)
    yield world
    world.close()
