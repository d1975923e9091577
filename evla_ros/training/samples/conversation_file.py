# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversations on the disk of a run: read where they are needed, shared by all of its processes.

A million of them take gigabytes as objects. As lines of a file that is mapped into memory they take
the size of their text once, whatever the number of ranks and worker processes.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from evla_ros.reading.text_files import parse_json
from evla_ros.training.samples.conversations import Conversation

TEXT, STARTS = "conversations.jsonl", "conversations.npy"


class ConversationFile:
    """The conversations in the folder of a run, by number."""

    def __init__(self, folder: Path) -> None:
        """Open what `write` left in a folder."""
        self.folder = folder
        self._starts = np.load(folder / STARTS)  # without pickle
        self._text: mmap.mmap | None = None

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, number: int) -> Conversation:
        if self._text is None:
            with (self.folder / TEXT).open("rb") as file:
                self._text = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        line = self._text[int(self._starts[number]) : int(self._starts[number + 1])]
        data: dict[str, Any] = parse_json(line.decode(), f"{self.folder / TEXT}: {number}")
        turns = tuple((ask, say) for ask, say in data["turns"])
        return Conversation(tuple(data["images"]), turns, data["name"])

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_text": None}

    @staticmethod
    def there(folder: Path) -> bool:
        """Return whether a folder holds conversations; the second file is written last."""
        return (folder / STARTS).is_file()

    @staticmethod
    def write(folder: Path, conversations: Iterable[Conversation]) -> None:
        """Write conversations into a folder."""
        starts = [0]
        with (folder / TEXT).open("wb") as file:
            for conversation in conversations:
                file.write(json.dumps(asdict(conversation)).encode() + b"\n")
                starts.append(file.tell())
        partial = folder / f"partial-{STARTS}"
        np.save(partial, np.array(starts, dtype=np.int64))
        partial.replace(folder / STARTS)
