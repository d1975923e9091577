# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla eval sim|offline`: score a policy, in simulation or on held-out episodes."""

from __future__ import annotations

import argparse

from evla_ros.cli.kinds import Kind, Kinds

KINDS = Kinds(
    "eval",
    "evaluation",
    {
        "sim": Kind("evla_ros.sim.evaluation.command", "closed-loop success in a simulated world"),
        "offline": Kind(
            "evla_ros.training.evaluation.offline_eval",
            "action error on held-out episodes of a dataset",
        ),
    },
    [
        "evla eval sim --help",
        "evla eval sim --policy expert --world tabletop_arm --episodes 20 --seed 0",
    ],
)
add_arguments = KINDS.add_arguments


def run(arguments: argparse.Namespace) -> int:
    """Run the chosen kind of evaluation."""
    module, options = KINDS.chosen(arguments)
    return int(module.run(options))
