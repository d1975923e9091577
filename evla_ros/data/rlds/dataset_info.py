# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `dataset_info.json` of TFDS: name, version, and the shards of each split."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from evla_ros.data.rlds.errors import DatasetError
from evla_ros.errors import shorten
from evla_ros.reading.limits import EPISODES, FILES
from evla_ros.reading.text_files import is_folder, parse_json

INFO_FILE = "dataset_info.json"
FEATURES_FILE = "features.json"
BATCH_TEMPLATE = "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_VERSION = re.compile(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})", re.ASCII)
_COUNT = re.compile(r"\d{1,18}", re.ASCII)
_PLAIN = re.compile(r"\w[\w.+=-]{0,199}", re.ASCII)  # a file of this folder, and no other


@dataclass(frozen=True)
class SplitInfo:
    """One split, with the number of episodes in each of its shards."""

    name: str
    shard_lengths: tuple[int, ...]
    num_bytes: int
    template: str = BATCH_TEMPLATE

    @property
    def episodes(self) -> int:
        """The number of episodes in all shards."""
        return sum(self.shard_lengths)

    def shard_names(self, dataset: str, file_format: str = "tfrecord") -> list[str]:
        """File names of the shards in order (tfds core/naming.py: ShardedFileTemplate)."""
        count = len(self.shard_lengths)
        fields = {
            "{DATASET}": dataset,
            "{SPLIT}": self.name,
            "{FILEFORMAT}": file_format,
        }
        names = []
        for index in range(count):
            fields["{SHARD_INDEX}"] = f"{index:05d}"
            fields["{NUM_SHARDS}"] = f"{count:05d}"
            fields["{SHARD_X_OF_Y}"] = f"{index:05d}-of-{count:05d}"
            name = self.template
            for field_name, value in fields.items():
                name = name.replace(field_name, value)
            names.append(name)
        return names


@dataclass(frozen=True)
class DatasetInfo:
    """The parsed file. `version` is (major, minor, patch)."""

    name: str
    version: tuple[int, int, int]
    splits: Mapping[str, SplitInfo]
    description: str = ""
    file_format: str = "tfrecord"
    release_notes: Mapping[str, str] = field(default_factory=dict)


def check_name(name: str) -> str:
    """Return `name` when TFDS can load it: lower_snake, starting with a letter.

    Raises:
        DatasetError: It cannot.
    """
    if _NAME.fullmatch(name):
        return name
    guess = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()).strip(
        "_"
    )
    guess = guess if _NAME.fullmatch(guess) else f"set_{guess}".rstrip("_")
    raise DatasetError(
        f"dataset name {shorten(repr(name))} cannot be loaded by TFDS; it must be "
        f"lower_snake_case, like {guess!r}"
    )


def parse_version(text: str) -> tuple[int, int, int]:
    """Return (major, minor, patch) of a text such as `1.2.3`.

    Raises:
        DatasetError: The text is something else.
    """
    match = _VERSION.fullmatch(text)
    if match is None:
        raise DatasetError(
            f"dataset version {shorten(repr(text))} must be three numbers, like '1.0.0'"
        )
    major, minor, patch = (int(part) for part in match.groups())
    return major, minor, patch


def format_version(version: tuple[int, int, int]) -> str:
    """Return `1.2.3`."""
    return ".".join(str(part) for part in version)


def _count(written: object) -> int:
    """Return a count, which TFDS writes as text."""
    if isinstance(written, bool) or not _COUNT.fullmatch(str(written)):
        raise DatasetError(f"{shorten(repr(written))} is no count of episodes or bytes")
    return int(str(written))


def _check_split(dataset: str, split: SplitInfo) -> None:
    """Refuse names that lead out of the folder, and counts that no dataset has."""
    for what, name in (("dataset", dataset), ("split", split.name)):
        if not _PLAIN.fullmatch(name):
            raise DatasetError(f"{what} name {shorten(repr(name))} is no plain name")
    FILES.check(len(split.shard_lengths), f"split {split.name!r}", DatasetError)
    EPISODES.check(split.episodes, f"split {split.name!r}", DatasetError)
    if not _PLAIN.fullmatch("".join(split.shard_names(dataset)[:1]) or "none"):
        raise DatasetError(
            f"split {split.name!r}: filepathTemplate {shorten(repr(split.template))} names no "
            "file of this folder"
        )


def versions_of(dataset_folder: Path) -> list[tuple[int, int, int]]:
    """Return the finished versions below `<root>/<name>`, lowest first."""
    if not is_folder(dataset_folder):
        return []
    names = (p.name for p in dataset_folder.iterdir() if (p / INFO_FILE).is_file())
    return sorted(parse_version(name) for name in names if _VERSION.fullmatch(name))


def info_to_json(info: DatasetInfo) -> str:
    """Return the text of `dataset_info.json`."""
    splits = [
        {
            "filepathTemplate": split.template,
            "name": split.name,
            "numBytes": str(split.num_bytes),
            "shardLengths": [str(length) for length in split.shard_lengths],
        }
        for split in info.splits.values()
    ]
    content = {
        "description": info.description,
        "fileFormat": info.file_format,
        "name": info.name,
        "releaseNotes": dict(info.release_notes),
        "splits": splits,
        "version": format_version(info.version),
    }
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def info_from_json(text: str, source: str) -> DatasetInfo:
    """Parse `dataset_info.json`.

    Args:
        text: The content of the file.
        source: Its name, for messages.

    Raises:
        DatasetError: The content is damaged.
    """
    content = parse_json(text, source, DatasetError)
    try:
        name, version = str(content["name"]), parse_version(str(content["version"]))
        file_format = str(content.get("fileFormat", "tfrecord"))
        splits = {}
        for entry in content.get("splits", []):
            split = SplitInfo(
                name=str(entry["name"]),
                shard_lengths=tuple(_count(length) for length in entry.get("shardLengths", [])),
                num_bytes=_count(entry.get("numBytes", 0)),
                template=str(entry.get("filepathTemplate") or BATCH_TEMPLATE),
            )
            _check_split(name, split)
            splits[split.name] = split
        notes = dict(content.get("releaseNotes") or {})
    except DatasetError as error:
        raise DatasetError(f"{source}: {error}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = shorten(f"{type(error).__name__}: {error}")
        raise DatasetError(f"{source} is damaged: {problem}") from error
    if file_format != "tfrecord":
        raise DatasetError(
            f"{source}: file format {shorten(repr(file_format))} is not supported; write it as "
            "tfrecord (no dlimp-based loader can read another)"
        )
    return DatasetInfo(
        name, version, splits, str(content.get("description", "")), file_format, notes
    )
