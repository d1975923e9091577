# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Open any bag: healthy ones through `rosbags`, damaged MCAP ones up to the damage."""

from __future__ import annotations

import hashlib
from pathlib import Path

from evla_ros.data.bags.metadata import custom_data, read_metadata
from evla_ros.data.bags.rosbags_bag import RosbagsBag
from evla_ros.data.bags.salvaged_mcap import SalvagedMcap, looks_like_mcap
from evla_ros.data.bags.types import Bag, BagError

SUFFIXES = (".mcap", ".db3")


def open_bag(path: Path | str) -> Bag:
    """Open a rosbag2 folder or a lone .mcap or .db3 file; use the result in a `with`.

    A folder without metadata.yaml and an MCAP file without its end are salvaged: `info.damage`
    says so. Raises BagError with one sentence when nothing can be read.
    """
    path = Path(path)
    if not path.exists():
        raise BagError(f"{path} does not exist")
    if path.is_file() and path.suffix not in SUFFIXES:
        raise BagError(f"{path} is no bag; bags are folders, .mcap or .db3 files")
    if path.is_dir() and not (path / "metadata.yaml").is_file():
        return _open_without_metadata(path)
    try:
        return RosbagsBag(path)
    except BagError as error:
        if not looks_like_mcap(path):
            raise
        return SalvagedMcap(path, str(error))


def _open_without_metadata(folder: Path) -> Bag:
    files = [file for suffix in SUFFIXES for file in sorted(folder.glob(f"*{suffix}"))]
    if not files:
        raise BagError(f"{folder} is no bag: it holds neither metadata.yaml nor .mcap nor .db3")
    reason = f"{folder.name} has no metadata.yaml"
    if len(files) == 1:
        bag = open_bag(files[0])
        bag.info.damage = bag.info.damage or reason
        return bag
    if files[0].suffix != ".mcap":
        raise BagError(f"{reason} and several .db3 files; run `ros2 bag reindex` on it first")
    salvaged = SalvagedMcap(folder, reason)
    salvaged.info.damage = salvaged.info.damage or reason
    return salvaged


def recorded_custom_data(path: Path) -> dict[str, str]:
    """Return what the recorder wrote about a bag, from metadata.yaml alone where there is one."""
    data = custom_data(read_metadata(path)) if path.is_dir() else {}
    if data:
        return data
    with open_bag(path) as bag:
        return dict(bag.info.custom_data)


def content_hash(path: Path) -> str:
    """Return the SHA-256 (hex) of a bag's files: storage and metadata.yaml, by name order."""
    digest = hashlib.sha256()
    names = (".mcap", ".db3", ".yaml", ".zstd")
    files = [path] if path.is_file() else sorted(f for f in path.iterdir() if f.suffix in names)
    for file in files:
        digest.update(file.name.encode() + b"\0" if path.is_dir() else b"")
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def find_bags(paths: list[Path]) -> list[Path]:
    """Return every bag under the given folders and files, sorted, without hidden folders and trash.

    Raises BagError for a path that does not exist or holds no bag at all.
    """
    found: list[Path] = []
    for path in paths:
        if not path.exists():
            raise BagError(f"{path} does not exist")
        bags = [path] if _is_bag(path) else _bags_below(path) if path.is_dir() else []
        if not bags:
            raise BagError(
                f"{path} holds no bag (a folder with metadata.yaml, .mcap or .db3 files)"
            )
        found.extend(bags)
    return list(dict.fromkeys(found))


def _is_bag(path: Path) -> bool:
    """A file of a bag's kind, or a folder with metadata.yaml or with files named after it."""
    if path.is_file():
        return path.suffix in SUFFIXES
    if (path / "metadata.yaml").is_file():
        return True
    files = [f for suffix in SUFFIXES for f in path.glob(f"{path.name}*{suffix}")]
    return bool(files)


def _bags_below(folder: Path) -> list[Path]:
    found: list[Path] = []
    for child in sorted(folder.iterdir()):
        if child.name.startswith(".") or child.name in ("trash", "quarantine"):
            continue
        if _is_bag(child):
            found.append(child)
        elif child.is_dir():
            found.extend(_bags_below(child))
    return found
