# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The policy node of one robot: ros2 launch evla_ros policy.launch.py checkpoint:=FOLDER.

An argument that is not given keeps the value of the parameter file. Autostart configures and
activates the node; the robot still does not move before ~/start is called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evla_ros.ros.launching import (
    AUTOSTART,
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
    "policy",
    EMBODIMENT,
    Argument("policy", "evla, hold, circle, scripted, replay, path or remote", parameter="policy"),
    Argument("checkpoint", "checkpoint folder", parameter="checkpoint"),
    Argument("server", "policy server of policy:=remote: wss://HOST:PORT", parameter="server"),
    Argument("token_file", "file with the robot's token", parameter="token_file"),
    Argument("ca_file", "certificate that the server's is signed by", parameter="ca_file"),
    Argument("device", "cpu, cuda, cuda:1", parameter="device"),
    Argument("shadow", "publish goals under ~/shadow only", "switch", "shadow"),
    AUTOSTART,
    USE_RESPAWN,
)


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments; start the node."""
    return describe(
        ARGUMENTS, lambda texts: node_actions("policy", ARGUMENTS, texts, lifecycle=True)
    )
