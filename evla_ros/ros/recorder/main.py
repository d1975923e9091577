# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Entry point of the recorder node."""

from __future__ import annotations

from evla_ros.ros.lean_executor import LeanExecutor
from evla_ros.ros.lifecycle import autostart
from evla_ros.ros.recorder.node import RecorderNode
from evla_ros.ros.spin import run_node


def main() -> int:
    """Run the node."""
    return run_node(RecorderNode, started=autostart, make_executor=LeanExecutor)


if __name__ == "__main__":
    raise SystemExit(main())
