# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Entry point of the teleoperation node."""

from __future__ import annotations

from evla_ros.ros.spin import run_node
from evla_ros.ros.teleop.node import TeleopNode


def main() -> int:
    """Run the node."""
    return run_node(TeleopNode)


if __name__ == "__main__":
    raise SystemExit(main())
