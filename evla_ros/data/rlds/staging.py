# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of finished episodes, one framed record in each file, filled by any number of processes.

The dataset writer later joins the files. A killed run keeps what is finished.
"""

from __future__ import annotations

import hashlib
import mmap
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evla_ros.data.episode import Episode, Scalar
from evla_ros.data.rlds.episode_decode import decode_metadata
from evla_ros.data.rlds.episode_encode import episode_parts
from evla_ros.data.rlds.errors import CorruptRecordError, DatasetError
from evla_ros.data.rlds.example_proto import scan_example
from evla_ros.data.rlds.features import DatasetFeatures
from evla_ros.data.rlds.tfrecord import frame, read_only_record, scan_records

SUFFIX = ".episode"


@dataclass(frozen=True)
class StagedEpisode:
    """One finished episode: its name, outcome, file and the bytes of its payload."""

    episode_id: str
    success: bool
    path: Path
    payload_bytes: int


def staged_path(folder: Path, episode_id: str) -> Path:
    """Return the file that holds this episode once it is finished."""
    return folder / (hashlib.sha256(episode_id.encode()).hexdigest() + SUFFIX)


def stage_episode(
    folder: Path, episode: Episode, features: DatasetFeatures, *, overwrite: bool = False
) -> Path:
    """Encode one episode into the folder, atomically; any process may call it.

    Raises:
        DatasetError: The episode does not fit `features`, has no `episode_id`, or the folder has an
            episode of that id with other content (unless `overwrite`).
    """
    if not episode.episode_id:
        raise DatasetError("an episode needs a unique `episode_id` in its metadata")
    parts = episode_parts(episode, features)
    return stage_payload(folder, episode.episode_id, parts, overwrite=overwrite)


def stage_payload(
    folder: Path, episode_id: str, parts: Sequence[bytes], *, overwrite: bool = False
) -> Path:
    """Write an encoded episode, given in pieces, into the folder, atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    path = staged_path(folder, episode_id)
    framed = frame(parts)
    if path.exists() and not overwrite:
        if path.read_bytes() == b"".join(framed):
            return path
        raise DatasetError(
            f"two different episodes are called {episode_id!r}; the episode_id must be unique"
        )
    temporary = path.with_name(f"{path.name}.{os.getpid()}.partial")
    try:
        with temporary.open("wb") as file:
            file.writelines(framed)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def read_staged(path: Path) -> tuple[bytes, bytes, bytes]:
    """Return the header, payload and footer of a staged file.

    Raises:
        CorruptRecordError: The file is damaged.
    """
    with path.open("rb") as file:
        return read_only_record(file, path.name)


def staged_episodes(folder: Path, features: DatasetFeatures) -> list[StagedEpisode]:
    """Return the finished episodes of a folder, by file name.

    Raises:
        CorruptRecordError: A file is damaged.
    """
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as mapped:
            size, metadata = _read_metadata(memoryview(mapped), path.name, features)
        episode_id = str(metadata.get("episode_id", ""))
        if staged_path(folder, episode_id) != path:
            raise CorruptRecordError(f"{path.name} holds episode {episode_id!r}; delete it")
        success = bool(metadata.get("success", True))
        found.append(StagedEpisode(episode_id, success, path, size))
    return found


def _read_metadata(
    data: memoryview, name: str, features: DatasetFeatures
) -> tuple[int, dict[str, Scalar]]:
    with data:
        start, stop = _only_span(data, name)
        spans = scan_example(data[start:stop])
        metadata = decode_metadata(spans, features)
        for span in spans.values():
            span.data.release()
        return stop - start, metadata


def _only_span(data: memoryview, name: str) -> tuple[int, int]:
    spans = scan_records(data, name)
    if len(spans) != 1:
        raise CorruptRecordError(f"{name} holds {len(spans)} records, expected one; delete it")
    return int(spans[0, 0]), int(spans[0, 1])
