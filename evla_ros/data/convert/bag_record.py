# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`bags.json` of a converted dataset: which bag made which episode, and how it was converted.

A later conversion adds to the dataset what is not in it, without reading the rest again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evla_ros.data.convert.bag_job import BagResult
from evla_ros.data.remote.store import Store
from evla_ros.data.remote.uri import uri_of
from evla_ros.errors import EvlaError
from evla_ros.reading.text_files import read_json_object

BAGS_FILE = "bags.json"


class BagRecordError(EvlaError):
    """A dataset whose bags are not known, or were converted otherwise."""


@dataclass(frozen=True)
class RecordedEpisodes:
    """What one bag became.

    Attributes:
        files: a hash of the names and sizes of its files.
        recording: a hash of its messages.
        episodes: the ids of its episodes.
    """

    files: str
    recording: str
    episodes: tuple[str, ...]


@dataclass(frozen=True)
class BagRecord:
    """The bags of a dataset by name, and the fingerprint of how they were converted."""

    options: str
    bags: Mapping[str, RecordedEpisodes] = field(default_factory=dict)

    @staticmethod
    def of(options: str, results: Iterable[BagResult]) -> BagRecord:
        """Return the record of kept bags."""
        bags = {
            Path(one.bag).name: RecordedEpisodes(
                files_hash(Path(one.bag)), one.message_hash, one.episode_ids
            )
            for one in results
            if one.status == "kept"
        }
        return BagRecord(options, bags)

    @staticmethod
    def read(version: Path) -> BagRecord:
        """Read it from a version of a dataset.

        Raises:
            BagRecordError: There is none, or it cannot be used.
        """
        path = version / BAGS_FILE
        if not path.is_file():
            raise BagRecordError(
                f"{version} does not say which bags it was made of (no {BAGS_FILE}): convert "
                "everything anew, without --add"
            )
        content = read_json_object(path, BagRecordError)
        try:
            bags = {
                str(name): RecordedEpisodes(
                    str(one["files"]), str(one["recording"]), tuple(map(str, one["episodes"]))
                )
                for name, one in content["bags"].items()
            }
            return BagRecord(str(content["options"]), bags)
        except (KeyError, TypeError, AttributeError) as error:
            raise BagRecordError(f"{path} cannot be used: {error!r}") from error

    def joined(self, other: BagRecord) -> BagRecord:
        """Return the bags of both.

        Raises:
            BagRecordError: They were converted with other options or another robot.
        """
        if self.options != other.options:
            raise BagRecordError(
                "they were converted with other options, another embodiment file or another "
                "version of evla: convert all of them alike"
            )
        return BagRecord(self.options, {**self.bags, **other.bags})

    @property
    def recordings(self) -> dict[str, str]:
        """The name of the bag of each recording."""
        return {one.recording: name for name, one in self.bags.items() if one.recording}

    def text(self) -> str:
        """Return the content of the file."""
        bags: dict[str, Any] = {
            name: {
                "files": one.files,
                "recording": one.recording,
                "episodes": list(one.episodes),
            }
            for name, one in sorted(self.bags.items())
        }
        return json.dumps({"options": self.options, "bags": bags}, indent=1) + "\n"


def files_hash(bag: Path) -> str:
    """Return a hash of the names and sizes of a bag's files, the same wherever it lies."""
    uri = uri_of(bag)
    if uri is not None:
        sizes = [(file.name or uri.name, file.size) for file in Store(uri).files()]
    else:
        sizes = _local_sizes(bag)
    lines = [f"{name} {size}" for name, size in sorted(sizes)]
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _local_sizes(bag: Path) -> list[tuple[str, int]]:
    if bag.is_file():
        return [(bag.name, bag.stat().st_size)]
    files: Sequence[Path] = [path for path in bag.rglob("*") if path.is_file()]
    return [(path.relative_to(bag).as_posix(), path.stat().st_size) for path in files]
