# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla serve`: answer robots over the network, with openpi's wire."""

from __future__ import annotations

import importlib

from evla_ros.errors import EvlaError
from evla_ros.serving.options import Serving as Options

EXAMPLES = """examples:
  evla serve checkpoints/tabletop_arm
  evla serve outputs/lift/best --device cuda --host 0.0.0.0 --token-file robots.token \\
      --tls-cert server.pem --tls-key server.key
  evla serve outputs/libero/best --keys libero
  evla serve hold --embodiment tabletop_arm
  ros2 launch evla_ros policy.launch.py policy:=remote server:=ws://127.0.0.1:8000

Ctrl-C or SIGTERM ends it when the questions under way are answered. Exit code 1: the accelerator
failed and the process has to be started again. See docs/serving.md."""
_NEEDED = ("websockets", "msgpack", "h11", "prometheus_client")


def run(options: Options) -> int:
    """Serve until it is asked to end."""
    for name in _NEEDED:
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise EvlaError(
                f"the policy server needs {error.name}, which is not installed: "
                "pip install 'evla_ros[serve]'"
            ) from error
    from evla_ros.serving.run import run as serve

    return serve(options)
