# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The checkpoints that come with the package: at most one per robot."""

from __future__ import annotations

from pathlib import Path

from evla_ros.embodiment import Embodiment
from evla_ros.shared_files import checkpoint_folder


def shipped_checkpoint(embodiment: Embodiment) -> Path | None:
    """Return the checkpoint folder that ships for a robot of this name, or None."""
    folder = checkpoint_folder(embodiment.name)
    return folder if (folder / "config.json").is_file() else None
