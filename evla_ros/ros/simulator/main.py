# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Entry point of the simulated robot."""

from __future__ import annotations

import sys

import rclpy
from rclpy.executors import ExternalShutdownException

from evla_ros.errors import EvlaError
from evla_ros.ros.guarded_executor import GuardedExecutor
from evla_ros.ros.simulator.node import SimNode


def main(arguments: list[str] | None = None) -> int:
    """Run the node until Ctrl-C or SIGTERM; returns 2 after one sentence about a wrong parameter.

    Everything happens in this thread, for a rendering context belongs to the thread that opened it.
    """
    rclpy.init(args=arguments)
    node: SimNode | None = None
    try:
        node = SimNode()
        executor = GuardedExecutor()
        executor.add_node(node)
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except EvlaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    finally:
        if node is not None:
            node.finish()
            node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
