# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The folder that holds recorded episodes: one bag each, and a trash for discarded ones."""

from __future__ import annotations

import shutil
from datetime import datetime, timezone
from pathlib import Path

from evla_ros.data.bags.metadata import update_custom_data
from evla_ros.errors import EvlaError

TRASH = "trash"


class EpisodeStore:
    """The output folder of a recorder."""

    def __init__(self, root: Path) -> None:
        """Create the folder.

        Raises:
            EvlaError: The folder cannot be created.
        """
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EvlaError(f"cannot create the folder of the bags: {error}") from error
        self.root = root

    def new_folder(self, wall_ns: int) -> Path:
        """Return an unused folder name: the UTC time, with a number when that second is taken."""
        moment = datetime.fromtimestamp(wall_ns / 1e9, tz=timezone.utc)
        stem = moment.strftime("%Y-%m-%d_%H-%M-%S")
        number = 0
        while True:
            name = f"{stem}_{number:02d}"
            if not (self.root / name).exists() and not (self.root / TRASH / name).exists():
                return self.root / name
            number += 1

    def discard(self, folder: Path) -> Path:
        """Move an episode to the trash and return where it is; nothing is deleted."""
        trash = self.root / TRASH
        trash.mkdir(exist_ok=True)
        target = trash / folder.name
        shutil.move(str(folder), target)
        return target

    def forget(self, folder: Path) -> None:
        """Delete what is left of a bag that could not be created."""
        shutil.rmtree(folder, ignore_errors=True)

    def mark(self, folder: Path, outcome: str) -> None:
        """Change the outcome of an episode that is already finished."""
        update_custom_data(folder, {"outcome": outcome})

    def free_bytes(self) -> int:
        """Return the free space of the disk in bytes."""
        return shutil.disk_usage(self.root).free
