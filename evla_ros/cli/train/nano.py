# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train nano`: a small policy of a simulated robot, from nothing to a checkpoint."""

from __future__ import annotations

import shlex
import sys

from evla_ros.cli.next_command import say_next
from evla_ros.cli.parser import to_argv
from evla_ros.cli.record import through_graph
from evla_ros.recipes.nano_settings import Recipe

EXAMPLES = """examples:
  evla train nano outputs/nano
  evla train nano outputs/short --record 20 --episodes 100 --vision-steps 100 --steps 300
  evla train nano outputs/mobile --world mobile_manipulator --record 0

Stages: record demonstrations as bags (scripted expert, simulated robot, recorder), convert them,
collect demonstrations with counterfactual labels beside them, pretrain the encoders, train the
policy on both datasets; then rounds of visiting the policy's own states, answered by the expert,
and training on. Each is skipped when its result is there; a killed one goes on. What every stage
runs is in jobs/ of the folder."""
Options = Recipe


def run(options: Recipe) -> int:
    """Run the stages that are not done yet; prints their times and the checkpoint."""
    from evla_ros.recipes.nano import make

    again = f"evla train nano {shlex.join(to_argv(options))}"
    checkpoint = make(options, again, through_graph)
    print(checkpoint, flush=True)
    say_next("evla", "eval", "sim", "--policy", checkpoint, file=sys.stderr)
    return 0
