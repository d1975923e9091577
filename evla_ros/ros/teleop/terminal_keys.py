# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The terminal's keys in a thread of their own: commands for the arm, services of the recorder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from rclpy.node import Node
from std_srvs.srv import Trigger

from evla_ros.ros.teleop.command import TeleopCommand
from evla_ros.ros.teleop.keyboard import HELP, Keyboard, raw_terminal, read_keys


def read_terminal(
    node: Node,
    keyboard: Keyboard,
    recorder: str,
    on_command: Callable[[TeleopCommand], None],
    ended: threading.Event,
) -> None:
    """Read keys until the end, in a thread.

    Args:
        node: Whose services' clients are used.
        keyboard: Makes commands of the keys.
        recorder: The node whose services the keys call.
        on_command: Takes what the held keys ask for, again and again.
        ended: Set at the end.
    """

    def read() -> None:
        print(HELP, flush=True)
        with raw_terminal(0):
            while not ended.is_set():
                keys = read_keys(0, 0.02)
                now_s = time.monotonic()
                for service in keyboard.press(keys, now_s):
                    _call(node, f"{recorder}/{service}")
                on_command(keyboard.command(now_s))

    threading.Thread(target=read, name="keyboard", daemon=True).start()


def _call(node: Node, service: str) -> None:
    client = node.create_client(Trigger, service)
    if not client.service_is_ready() and not client.wait_for_service(1.0):
        print(f"\r\nno service {service}: is the recorder running?\r")
        return
    future = client.call_async(Trigger.Request())
    future.add_done_callback(lambda done: print(f"\r\n{done.result().message}\r"))
