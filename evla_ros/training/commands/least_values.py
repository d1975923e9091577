# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers of the command line that are too small, named with the option they were given to."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from evla_ros.training.errors import TrainingError


def check_least(arguments: argparse.Namespace, least: Mapping[str, float]) -> None:
    """Raise TrainingError for the first option below its least value; `least` by option name."""
    for name, value in least.items():
        given = getattr(arguments, name)
        if given < value:
            raise TrainingError(f"--{name.replace('_', '-')} {given}: at least {value}")
