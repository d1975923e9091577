# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Decide which episode goes to `train` and which to `val`, from the episode's id alone."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from evla_ros.data.rlds.errors import DatasetError

TRAIN, VAL = "train", "val"
DEFAULT_VAL_FRACTION = 0.1


def split_position(episode_id: str) -> float:
    """Return the episode's position in [0, 1), from the SHA-256 of its id."""
    digest = hashlib.sha256(episode_id.encode()).digest()
    return int.from_bytes(digest[:7], "big") / 2**56


def assign_splits(
    episode_ids: Iterable[str], val_fraction: float = DEFAULT_VAL_FRACTION
) -> dict[str, list[str]]:
    """Return the episode ids of each split, in hash order, which is the order on disk.

    An episode is in `val` when its hash is below `val_fraction`, so adding episodes moves no
    others. With two episodes or more neither split is empty: the episode nearest to the border
    moves over. A single episode is in `train`.

    Raises:
        DatasetError: `val_fraction` is out of range.
    """
    ordered = _ordered(episode_ids, val_fraction)
    count = sum(split_position(name) < val_fraction for name in ordered)
    return _cut(ordered, count)


def share_splits(episode_ids: Iterable[str], val_fraction: float) -> dict[str, list[str]]:
    """Assign as `assign_splits` does, but give `val` its exact share of the episodes.

    This suits small datasets; adding an episode may move another one over the border.
    """
    ordered = _ordered(episode_ids, val_fraction)
    return _cut(ordered, round(val_fraction * len(ordered)))


def _ordered(episode_ids: Iterable[str], val_fraction: float) -> list[str]:
    if not 0.0 < val_fraction < 1.0:
        raise DatasetError(f"val fraction {val_fraction} must lie between 0 and 1, like 0.1")
    return sorted(set(episode_ids), key=lambda name: (split_position(name), name))


def _cut(ordered: list[str], count: int) -> dict[str, list[str]]:
    count = min(max(count, 1), len(ordered) - 1) if len(ordered) >= 2 else 0
    splits = {TRAIN: ordered[count:], VAL: ordered[:count]}
    return {name: ids for name, ids in splits.items() if ids}
