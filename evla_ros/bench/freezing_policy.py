# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The policy node with one more topic: for how many seconds its executor thread freezes."""

from __future__ import annotations

import time

from std_msgs.msg import Float64

from evla_ros.ros.lean_executor import LeanExecutor
from evla_ros.ros.policy.node import PolicyNode
from evla_ros.ros.spin import run_node


class FreezingNode(PolicyNode):
    """For benchmarks and tests of what happens when callbacks come no more."""

    def __init__(self, **arguments: object) -> None:
        """Subscribe to `freeze`."""
        super().__init__(**arguments)
        self.create_subscription(Float64, "freeze", lambda m: time.sleep(m.data), 1)


if __name__ == "__main__":
    raise SystemExit(run_node(FreezingNode, make_executor=LeanExecutor))
