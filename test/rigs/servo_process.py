# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for MoveIt Servo's two services; prints every call. Needs the real service type."""

from __future__ import annotations

import rclpy
from moveit_msgs.srv import ServoCommandType
from rclpy.node import Node
from std_srvs.srv import SetBool


def main() -> None:
    rclpy.init()
    node = Node("servo_node")

    def select(request: ServoCommandType.Request, answer: ServoCommandType.Response) -> object:
        print(f"type {request.command_type}", flush=True)
        answer.success = True
        return answer

    def pause(request: SetBool.Request, answer: SetBool.Response) -> object:
        print(f"pause {request.data}", flush=True)
        answer.success = True
        return answer

    node.create_service(ServoCommandType, "~/switch_command_type", select)
    node.create_service(SetBool, "~/pause_servo", pause)
    print("ready", flush=True)
    rclpy.spin(node)


if __name__ == "__main__":
    main()
