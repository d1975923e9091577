# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train compare`: joint against autoregressive decoding, trained alike and scored alike."""

from __future__ import annotations

import sys

from evla_ros.cli.next_command import say_next
from evla_ros.recipes.comparison_settings import Compared

EXAMPLES = """examples:
  evla train compare config/training/nano_tabletop.yaml outputs/compare --seeds 3 --minutes 20 \\
      --world tabletop_arm --episodes 20
  evla dataset split data/bridge_dataset --out outputs/data --val 0.2
  evla train compare config/training/bridge.yaml outputs/compare_bridge --seeds 3 --minutes 5 \\
      datasets.0.path=outputs/data/bridge_dataset

Both modes get tokens alone, the same data, seeds and budget. Written: comparison.json (every run),
comparison.md (the table), curves.png. The same command goes on where it stopped."""


Options = Compared


def run(options: Compared) -> int:
    """Train, score, write; prints the table."""
    from evla_ros.recipes.comparison import compare

    found = compare(options)
    print(found.table, flush=True)
    if options.world:
        words = ["evla", "eval", "sim", "--policy", found.best, "--world", options.world]
    else:
        words = ["evla", "run", "policy", "--set", f"checkpoint={found.best}", "shadow=true"]
    say_next(*words, file=sys.stderr)
    return 0
