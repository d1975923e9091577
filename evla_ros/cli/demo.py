# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla demo`: the loop end to end, on this machine, over real ROS 2."""

from __future__ import annotations

import argparse

EXAMPLES = """example:
  evla demo"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.epilog = EXAMPLES


def run(arguments: argparse.Namespace) -> int:
    """Run the loop; 0 when every point was reached."""
    from evla_ros.demo.loop import run as run_loop

    del arguments
    run_loop()
    return 0
