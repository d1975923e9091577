# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of the nodes' parameters, from the tables that the nodes declare."""

from __future__ import annotations

HEAD = """# Node parameters

What each node takes by `--set NAME=VALUE` (`evla run`), by a parameter file, or by
`ros2 run ... --ros-args -p NAME:=VALUE`. The shipped parameter files in `config/params/` hold the
same defaults. Those marked *(live)* can be changed while the node runs; the others are read when
the node is configured.
"""


def page() -> str:
    """Return the page as Markdown."""
    from evla_ros.console.parameters import TABLE as CONSOLE
    from evla_ros.embodiment import load_embodiment
    from evla_ros.ros.parameters import markdown
    from evla_ros.ros.policy.limit_parameters import limit_table
    from evla_ros.ros.policy.parameters import TABLE as POLICY
    from evla_ros.ros.recorder.parameters import TABLE as RECORDER
    from evla_ros.ros.simulator.parameters import TABLE as SIMULATOR
    from evla_ros.ros.teleop.parameters import TABLE as TELEOP

    tables = {
        "policy": POLICY, "recorder": RECORDER, "teleop": TELEOP, "sim": SIMULATOR,
        "console": CONSOLE,
    }  # fmt: skip
    parts = [HEAD, *(f"## `{node}`\n\n{markdown(table)}" for node, table in tables.items())]
    limits = markdown(limit_table(load_embodiment("tabletop_arm")))
    parts.append(
        "## Limits of the policy node\n\nOne parameter for every limit of the embodiment file, "
        "here those of `tabletop_arm`. They can be tightened at any time, never loosened beyond "
        f"the file.\n\n{limits}"
    )
    return "\n\n".join(parts) + "\n"
