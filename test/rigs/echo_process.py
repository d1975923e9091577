# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The other process of the interface tests: sends back every message, and answers every service.

Usage: echo_process.py {message,service} TYPE
"""

from __future__ import annotations

import sys

import rclpy
from rclpy.qos import QoSProfile


def main(kind: str, name: str) -> None:
    """Serve one interface until the process is ended."""
    rclpy.init()
    node = rclpy.create_node("echo")
    if kind == "message":
        import evla_ros.msg

        interface = getattr(evla_ros.msg, name)
        publisher = node.create_publisher(interface, "back", QoSProfile(depth=1))
        node.create_subscription(interface, "there", publisher.publish, QoSProfile(depth=1))
    else:
        import evla_ros.srv

        node.create_service(getattr(evla_ros.srv, name), "ask", _answer)
    rclpy.spin(node)


def _answer(request, response):
    """Fill the response from the request's fields of the same name and type, and mark the rest."""
    answers = response.get_fields_and_field_types()
    for field, kind in answers.items():
        if request.get_fields_and_field_types().get(field) == kind:
            setattr(response, field, getattr(request, field))
        elif kind == "boolean":
            setattr(response, field, True)
        elif kind == "string":
            setattr(response, field, f"answered {field}")
    return response


if __name__ == "__main__":
    main(*sys.argv[1:])
