# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `ros2 run evla_ros <name>` starts: each node's module, and one sentence where it cannot."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from types import MappingProxyType

from evla_ros.errors import EvlaError

# What a node returns that refuses its settings: starting it again would not help.
REFUSED = 2
MODULES: Mapping[str, str] = MappingProxyType(
    {
        "policy": "evla_ros.ros.policy.main",
        "recorder": "evla_ros.ros.recorder.main",
        "teleop": "evla_ros.ros.teleop.main",
        "sim": "evla_ros.ros.simulator.main",
        "console": "evla_ros.console.main",
    }
)


def run(name: str) -> int:
    """Run a node by the name of its executable; returns the exit code."""
    try:
        main = importlib.import_module(MODULES[name]).main
    except EvlaError as error:
        print(f"error: {error}", file=sys.stderr)
        return REFUSED
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("evla_ros.") and error.name not in _INTERFACES:
            raise
        print(f"error: {_missing(error.name or str(error))}", file=sys.stderr)
        return REFUSED
    return int(main())


_INTERFACES = ("evla_ros.msg", "evla_ros.srv", "evla_ros.action")


def _missing(module: str) -> str:
    if module == "rclpy" or module in _INTERFACES:
        return (
            f"there is no {module} in this Python: source ROS 2 and the workspace that this "
            "package was built in (or `. ./env.sh` after `make build`)"
        )
    return (
        f"there is no {module} in this Python: install what the node needs where `ros2 run` finds "
        "it (the table in docs/install.md)"
    )
