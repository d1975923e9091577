# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which file of a numbered series is next: files are closed at a size, folders at a count."""

from __future__ import annotations

from dataclasses import dataclass

from evla_ros.data.lerobot.layout import CHUNKS_SIZE


@dataclass
class FileNumber:
    """The place of a file: `chunk-000/file-000`, a thousand files a chunk."""

    chunk_index: int = 0
    file_index: int = 0

    def next(self) -> FileNumber:
        """Return the place of the file behind it."""
        if self.file_index == CHUNKS_SIZE - 1:
            return FileNumber(self.chunk_index + 1, 0)
        return FileNumber(self.chunk_index, self.file_index + 1)
