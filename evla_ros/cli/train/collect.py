# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla train collect`: simulated demonstrations with counterfactual labels, as RLDS."""

from __future__ import annotations

import sys

from evla_ros.cli.next_command import say_next
from evla_ros.recipes.simulated_data.settings import Collection

EXAMPLES = """examples:
  evla train collect outputs/data/tabletop_nano --episodes 1000 --workers 2
  evla train collect outputs/data/tabletop_second --policy outputs/run/best --first-seed 2000000
  evla train collect outputs/data/tabletop_hard --families stack close --first-seed 3000000
  evla train collect outputs/data/mw --world metaworld --episodes 2500 --relabels 0 --workers 2

Every second step (--every) also says what the expert would do for other instructions, rolled out
from a copy of that very state. With --policy the states are the policy's and the expert only
answers (DAgger)."""


Options = Collection


def run(options: Collection) -> int:
    """Collect and print the dataset's path."""
    from evla_ros.recipes.work import collect

    made = collect(options)
    say_next("evla", "dataset", "doctor", made, file=sys.stderr)
    return 0
