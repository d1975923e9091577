# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where episodes live: one bag folder each, a trash for the discarded, names that sort by time."""

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
        """Create the folder; EvlaError when that is not possible."""
        try:
            root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EvlaError(f"cannot create the folder of the bags: {error}") from error
        self.root = root

    def new_folder(self, wall_ns: int) -> Path:
        """Return a folder name that is free: UTC time, and a number against two in one second."""
        moment = datetime.fromtimestamp(wall_ns / 1e9, tz=timezone.utc)
        stem = moment.strftime("%Y-%m-%d_%H-%M-%S")
        number = 0
        while True:
            name = f"{stem}_{number:02d}"
            if not (self.root / name).exists() and not (self.root / TRASH / name).exists():
                return self.root / name
            number += 1

    def discard(self, folder: Path) -> Path:
        """Move an episode to the trash; deleting is the user's."""
        trash = self.root / TRASH
        trash.mkdir(exist_ok=True)
        target = trash / folder.name
        shutil.move(str(folder), target)
        return target

    def mark(self, folder: Path, outcome: str) -> None:
        """Change the outcome of an episode that is kept already."""
        update_custom_data(folder, {"outcome": outcome})

    def free_bytes(self) -> int:
        """Return the free space of the disk in bytes."""
        return shutil.disk_usage(self.root).free
