# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One sentence where a verb needs ROS 2 and it is not there."""

from __future__ import annotations

import importlib.util

from evla_ros.errors import EvlaError


def needs_ros(verb: str) -> None:
    """Raise EvlaError unless rclpy and the built interfaces can be imported."""
    for module in ("rclpy", "evla_ros.msg"):
        if importlib.util.find_spec(module) is None:
            raise EvlaError(
                f"{verb} needs ROS 2 and the built interfaces, and there is no {module} in this "
                "Python: run `make build` and `. ./env.sh`, or source your workspace"
            )
