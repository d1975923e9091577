# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A share of the bags, for machines that know nothing of each other: `--shard 3/16`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evla_ros.errors import EvlaError

_TEXT = re.compile(r"(\d{1,6})/(\d{1,6})", re.ASCII)


@dataclass(frozen=True)
class Shard:
    """Share `index` (from 0) of `count`."""

    index: int
    count: int

    def name_of(self, dataset: str) -> str:
        """Return the name of the share's own dataset."""
        return f"{dataset}_shard_{self.index}_of_{self.count}"

    def of(self, bags: Sequence[Path]) -> list[Path]:
        """Return every `count`-th bag from `index` on.

        Raises:
            EvlaError: There are fewer bags, so that none is left for this share.
        """
        kept = list(bags[self.index :: self.count])
        if not kept:
            raise EvlaError(
                f"--shard {self}: there are only {len(bags)} bags, so this share has none; use "
                f"fewer shares"
            )
        return kept

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def read_shard(text: str) -> Shard:
    """Return the share that `3/16` says.

    Raises:
        EvlaError: It is something else.
    """
    found = _TEXT.fullmatch(text)
    if found is None or not int(found[1]) < int(found[2]):
        raise EvlaError(f"--shard {text!r}: give I/N, I from 0 to N - 1, such as 3/16")
    return Shard(int(found[1]), int(found[2]))
