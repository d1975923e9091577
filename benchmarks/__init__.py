# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Developers' benchmarks: one file per subject, each yielding rows with a floor and a goal.

What a user measures on a robot is `evla bench node` and `evla bench model`.
"""

import sys
from pathlib import Path

# The invented robots and datasets that tests use are what these measure, too.
sys.path.append(str(Path(__file__).resolve().parent.parent / "test" / "rigs"))
