# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags of this machine and of object stores, alike: find them, key them, ask what they carry."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from evla_ros.data.bags.bag_key import bag_key
from evla_ros.data.bags.reader import find_bags, recorded_custom_data
from evla_ros.data.remote.bags import remote_bags, remote_custom_data, remote_key
from evla_ros.data.remote.copies import short_copy
from evla_ros.data.remote.uri import local_path, uri_of


def every_bag(places: Iterable[Path]) -> list[Path]:
    """Return every bag at or below the given paths and URIs; a bag there is its URI as a path.

    Raises:
        EvlaError: A place does not exist or has no bag.
    """
    found: list[Path] = []
    for place in places:
        uri = uri_of(place)
        if uri is None:
            found += find_bags([local_path(place)])
        else:
            found += [Path(bag.text) for bag in remote_bags(uri)]
    return list(dict.fromkeys(found))


@contextlib.contextmanager
def bag_here(bag: Path) -> Iterator[Path]:
    """Give the bag as a path of this machine: itself, or a copy that is gone after the block."""
    uri = uri_of(bag)
    if uri is None:
        yield bag
        return
    with short_copy(uri) as copy:
        yield copy


def key_of(bag: Path) -> str:
    """Return a hash that changes when a bag's files do."""
    uri = uri_of(bag)
    return bag_key(bag) if uri is None else remote_key(uri)


def custom_data_of(bag: Path) -> dict[str, str]:
    """Return the custom data of a bag."""
    uri = uri_of(bag)
    return recorded_custom_data(bag) if uri is None else remote_custom_data(uri)
