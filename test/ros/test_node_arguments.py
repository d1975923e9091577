# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node gets the parameters that a verb hands it, whatever is in them."""

from __future__ import annotations

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from evla_ros.ros.node_arguments import parameter_arguments  # noqa: E402

VALUES = {
    "task": """it's: "x" {a} #1 é""", "empty": "", "speed": 1.0, "clock": True, "seed": -1,
    "name": "12",
}  # fmt: skip


def test_parameters_arrive_as_they_were(ros_domain):
    from rclpy.context import Context
    from rclpy.node import Node

    context = Context()
    rclpy.init(args=["evla", "--ros-args", *parameter_arguments(VALUES)], context=context)
    node = Node("parameters", context=context)
    try:
        for name, value in VALUES.items():
            node.declare_parameter(name, type(value)())
            assert node.get_parameter(name).value == value
    finally:
        node.destroy_node()
        rclpy.try_shutdown(context=context)
