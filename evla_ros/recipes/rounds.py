# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the recipes' rounds share: whether a training is over, and how the next one goes on."""

from __future__ import annotations

from pathlib import Path

from evla_ros.recipes.datasets import change

REFINING_RATE = 6e-4


def has_taken(run: Path, steps: int) -> bool:
    """Whether the training in a folder has taken so many steps."""
    from evla_ros.training.checkpointing import states

    found = states(run)
    return bool(found) and int(found[-1].name.removeprefix("step-")) >= steps


def refining(checkpoint: Path, round_: int) -> list[str]:
    """Return the changes that go on from a checkpoint in a round (1, 2, ...)."""
    return [
        change("model.start", str(checkpoint)),
        change("model.vision", ""),
        change("model.preset", ""),
        change("seed", round_),
        change("optimizer.learning_rate", REFINING_RATE),
    ]
