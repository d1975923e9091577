# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train metaworld`: a small policy for Meta-World's tasks, from nothing to a score."""

from __future__ import annotations

import shlex
import sys

from evla_ros.cli.next_command import say_next
from evla_ros.cli.parser import to_argv
from evla_ros.recipes.metaworld_settings import MetaWorldRecipe

EXAMPLES = """examples:
  evla train metaworld outputs/metaworld
  evla train metaworld outputs/short --tasks reach-v3 window-open-v3 --demonstrations 10 \\
      --vision-steps 100 --steps 400
  evla train metaworld outputs/metaworld --rounds 1

Stages: collect demonstrations of the scripted experts, pretrain the encoder on where things are,
train everything, score; with --rounds, visit the states that the policy gets into, have the expert
answer there, and train on before the score. Each is skipped when its result is there; a killed one
goes on. What every stage runs is in jobs/ of the folder."""
Options = MetaWorldRecipe


def run(options: MetaWorldRecipe) -> int:
    """Run the stages that are not done yet; prints their times and the checkpoint."""
    from evla_ros.recipes.metaworld import make

    checkpoint = make(options, f"evla train metaworld {shlex.join(to_argv(options))}")
    print(checkpoint, flush=True)
    tasks = ["--tasks", *options.tasks] if options.tasks else []
    asked = ["--policy", str(checkpoint), *tasks, "--videos"]
    say_next("evla", "eval", "metaworld", *asked, file=sys.stderr)
    return 0
