# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The `metadata.yaml` of a rosbag2 folder: reading what matters, writing version 8 atomically."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from evla_ros.data.bags.types import BagError, TopicInfo
from evla_ros.errors import shown
from evla_ros.reading.text_files import TextError
from evla_ros.reading.yaml_files import read_yaml

ROOT_KEY = "rosbag2_bagfile_information"
# Humble to Lyrical read version 8; version 9 changed the form of the QoS, which Humble rejects.
VERSION = 8


def read_metadata(folder: Path) -> dict[str, Any] | None:
    """Return the content under the root key, or None when there is no file.

    Raises:
        BagError: The file is not a rosbag2 metadata file.
    """
    path = folder / "metadata.yaml"
    if not path.is_file():
        return None
    try:
        content = read_yaml(path)
    except TextError as error:
        raise BagError(f"{error.source} is not a rosbag2 metadata file: {error.problem}") from error
    information = content.get(ROOT_KEY) if isinstance(content, dict) else None
    if not isinstance(information, dict):
        raise BagError(f"{shown(path)} is not a rosbag2 metadata file: it has no {ROOT_KEY}")
    return information


def custom_data(information: Mapping[str, Any] | None) -> dict[str, str]:
    """Return the custom data of a bag's metadata; empty when there is none."""
    raw = (information or {}).get("custom_data") or {}
    return {str(key): str(value) for key, value in raw.items()} if isinstance(raw, dict) else {}


def write_metadata(
    folder: Path,
    *,
    files: Sequence[str],
    topics: Sequence[tuple[TopicInfo, str, int]],
    start_ns: int,
    end_ns: int,
    custom: Mapping[str, str],
    distro: str,
    durable: bool = True,
) -> None:
    """Write the file atomically.

    Args:
        folder: The folder of the bag.
        files: Names of the storage files.
        topics: (topic, type hash, number of messages) of each topic.
        start_ns: Receive time of the first message [ns].
        end_ns: Receive time of the last message [ns].
        custom: The custom data.
        distro: The ROS distribution.
        durable: Wait until the file is on the disk; on ext4 that also waits for the bag's unwritten
            data.
    """
    total = sum(count for _, _, count in topics)
    starting = {"nanoseconds_since_epoch": start_ns}
    duration = {"nanoseconds": max(0, end_ns - start_ns)}
    information = {
        "version": VERSION,
        "storage_identifier": "mcap",
        "duration": duration,
        "starting_time": starting,
        "message_count": total,
        "topics_with_message_count": [_topic(*entry) for entry in topics],
        "compression_format": "",
        "compression_mode": "",
        "relative_file_paths": list(files),
        "files": [
            {
                "path": name,
                "starting_time": dict(starting),
                "duration": dict(duration),
                "message_count": total,
            }
            for name in files
        ],
        "custom_data": dict(custom),
        "ros_distro": distro,
    }
    text = yaml.safe_dump({ROOT_KEY: information}, sort_keys=False, width=4096, allow_unicode=True)
    temporary = folder / "metadata.yaml.tmp"
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        if durable:
            os.fsync(stream.fileno())
    temporary.replace(folder / "metadata.yaml")


def _topic(topic: TopicInfo, type_hash: str, count: int) -> dict[str, Any]:
    return {
        "topic_metadata": {
            "name": topic.name,
            "type": topic.type,
            "serialization_format": "cdr",
            "offered_qos_profiles": topic.qos,
            "type_description_hash": type_hash,
        },
        "message_count": count,
    }


def update_custom_data(folder: Path, changes: Mapping[str, str]) -> None:
    """Change entries of the custom data of a finished bag, such as its outcome."""
    information = read_metadata(folder)
    if information is None:
        raise BagError(f"{folder} has no metadata.yaml to change")
    information["custom_data"] = {**custom_data(information), **changes}
    text = yaml.safe_dump({ROOT_KEY: information}, sort_keys=False, width=4096, allow_unicode=True)
    temporary = folder / "metadata.yaml.tmp"
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(folder / "metadata.yaml")
