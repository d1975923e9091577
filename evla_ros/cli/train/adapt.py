# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train adapt`: another robot from a trained network and few demonstrations."""

from __future__ import annotations

import shlex
import sys

from evla_ros.cli.next_command import say_next
from evla_ros.cli.parser import to_argv
from evla_ros.cli.record import through_graph
from evla_ros.recipes.adaptation_settings import Adaptation

EXAMPLES = """examples:
  evla train adapt outputs/humanoid --start models/evla-nano
  evla train adapt outputs/short --start CHECKPOINT --demonstrations 10 --tasks lift_tray \\
      optimizer.steps=500

Stages: collect so many demonstrations of every task with counterfactual labels (--relabels 0:
record bags and convert them), fine-tune the checkpoint and a fresh network on each dataset, score
them in simulation; --corrected: then let each play so many episodes a task, which the expert
answers, and train on with those. Written: adaptation.json, adaptation.md (the table), success.png.
The same command goes on where it stopped.
"""


Options = Adaptation


def run(options: Adaptation) -> int:
    """Record, convert, train, score, write; prints the table."""
    from evla_ros.recipes.adaptation import adapt
    from evla_ros.recipes.adaptation_report import write
    from evla_ros.recipes.trials import best_of

    again = f"evla train adapt {shlex.join(to_argv(options))}"
    results = adapt(options, again, through_graph)
    print(write(options, results), flush=True)
    best = best_of(results)["checkpoint"]
    words = ("evla", "eval", "sim", "--policy", best, "--world", options.world, "--videos")
    say_next(*words, file=sys.stderr)
    return 0
