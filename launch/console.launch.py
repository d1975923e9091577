# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The operator's page of one robot: ros2 launch evla_ros console.launch.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evla_ros.ros.launching import (
    EMBODIMENT,
    USE_RESPAWN,
    Argument,
    describe,
    node_actions,
    node_arguments,
)

if TYPE_CHECKING:
    from launch import LaunchDescription


ARGUMENTS = node_arguments(
    "console",
    EMBODIMENT,
    Argument("host", "address to listen on; any but this machine's needs a token", "text", "host"),
    Argument("port", "of the page", "number", "port"),
    Argument("recordings", "folder of the bags: the recorder's output", parameter="recordings"),
    USE_RESPAWN,
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; start the node."""
    return describe(ARGUMENTS, lambda texts: node_actions("console", ARGUMENTS, texts))
