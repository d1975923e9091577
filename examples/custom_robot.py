# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot of your own, described in one file: what the nodes will hear and say, number by number.

    python examples/custom_robot.py examples/custom_robot.yaml

The same file drives the policy node, the recorder, the converter, training and evaluation.
"""

from __future__ import annotations

import sys

from evla_ros import load_embodiment
from evla_ros.embodiment import action_layout, proprio_layout
from evla_ros.embodiment.streams import streams_of
from evla_ros.errors import EvlaError


def main(file: str) -> int:
    """Print the robot's topics and the numbers of its actions; 0 when the file is right."""
    robot = load_embodiment(file)  # refused in one sentence that names the key and the fix
    print(f"{robot.name}: {len(robot.arms)} arm(s), {robot.rate_hz:g} actions a second")

    print("topics:")
    for stream in streams_of(robot):
        print(f"  {stream.role.value:11} {stream.topic:48} {stream.type}")

    for what, layout in (("action", action_layout(robot)), ("proprio", proprio_layout(robot))):
        print(f"{what}: {layout.size} numbers")
        for name, unit in zip(layout.names, layout.units, strict=True):
            print(f"  {name:16} {unit}")

    limits = robot.arms[0].limits
    print(f"never faster than {limits.max_speed_m_s:g} m/s, whatever the policy says")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit("name one embodiment file, such as examples/custom_robot.yaml")
    try:
        raise SystemExit(main(sys.argv[1]))
    except EvlaError as error:
        raise SystemExit(f"error: {error}") from error
