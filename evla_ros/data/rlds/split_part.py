# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of a split in TFDS's notation: `train[:95%]`, `train[95%:]`, `train[100:200]`."""

from __future__ import annotations

import re
from typing import NamedTuple

from evla_ros.data.rlds.errors import DatasetError

_FORM = re.compile(r"([^\[\]]+)(?:\[(\d{0,9})(%?):(\d{0,9})(%?)\])?", re.ASCII)


class SplitPart(NamedTuple):
    """The episodes `start` to `stop` (not included) of a split."""

    split: str
    start: int
    stop: int


def split_name(text: str) -> str:
    """Return the split that a text names a part of.

    Raises:
        DatasetError: It is in no form that is known.
    """
    return _parsed(text)[1]


def split_part(text: str, episodes: int) -> SplitPart:
    """Return the episodes that a text means.

    Args:
        text: A split, or a part of one; percentages are rounded to whole episodes as TFDS does.
        episodes: How many episodes the split has.

    Raises:
        DatasetError: It is in no form that is known.
    """
    found = _parsed(text)
    start = _bound(found[2], found[3], 0, episodes)
    return SplitPart(found[1], start, max(start, _bound(found[4], found[5], episodes, episodes)))


def _parsed(text: str) -> re.Match[str]:
    found = _FORM.fullmatch(text)
    if found is None:
        raise DatasetError(
            f"split {text!r} is in no known form; write a split (train), or a part of one "
            "(train[:95%], train[100:200])"
        )
    return found


def _bound(digits: str | None, percent: str | None, default: int, episodes: int) -> int:
    if not digits:
        return default
    wanted = round(int(digits) * episodes / 100.0) if percent else int(digits)
    return min(wanted, episodes)
