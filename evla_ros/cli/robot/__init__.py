# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla robot init|check`: from a running robot or a bag to its embodiment file."""

from __future__ import annotations

from evla_ros.cli.commands import Commands

COMMANDS = Commands(
    "evla robot",
    "job",
    __name__,
    {
        "init": "propose an embodiment file from a running robot or a bag",
        "check": "hold an embodiment file to a running robot or a bag",
    },
    ["evla robot init my_robot.yaml", "evla robot check my_robot.yaml"],
)
