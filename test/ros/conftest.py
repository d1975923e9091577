# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Let the tests of this folder import its helpers by name."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def foreign_interfaces(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment with the interfaces of MoveIt and tf2 that no wheel brings."""
    from built_interfaces import environment_with_all

    return environment_with_all(tmp_path_factory.mktemp("foreign"))


@pytest.fixture
def context(ros_domain):
    """Return a context of rclpy in a domain of the test's own."""
    import rclpy

    context = rclpy.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    yield context
    rclpy.try_shutdown(context=context)
    gc.collect()  # a node in a circle of references stays in the graph, for the next test to call


@pytest.fixture
def stranger(ros_domain):
    """Return what adds a node to the graph by its name, as one of another process."""
    import rclpy

    context, made = rclpy.Context(), []
    rclpy.init(context=context, domain_id=ros_domain)

    def add(name, **options):
        made.append(rclpy.create_node(name, context=context, **options))
        return made[-1]

    yield add
    for node in made:
        node.destroy_node()
    rclpy.try_shutdown(context=context)


@pytest.fixture
def recording(context, tmp_path):
    """Return what starts a recorder node with parameters; each is closed after the test."""
    from live_recorder import Recording

    made = []

    def make(**parameters):
        made.append(Recording(context, tmp_path / "bags", **parameters))
        return made[-1]

    yield make
    for one in made:
        one.close()
