# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla eval sim|metaworld|libero|offline`: score a policy, simulated or on held-out episodes."""

from __future__ import annotations

from evla_ros.cli.commands import Commands

COMMANDS = Commands(
    "evla eval",
    "evaluation",
    __name__,
    {
        "sim": "closed-loop success in a simulated world",
        "metaworld": "success on the 50 tasks of Meta-World, beside published rows",
        "libero": "success of a policy server on LIBERO's suites",
        "offline": "action error on held-out episodes of a dataset",
    },
    [
        "evla eval sim --help",
        "evla eval sim --policy expert --world tabletop_arm --episodes 20 --seed 0",
    ],
)
