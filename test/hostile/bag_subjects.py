# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags to spoil: of our recorder, of another writer with and without compression, and sqlite3."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from mutations import Random, spoil_bytes, spoil_yaml
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from subject import Call, Subject, evla, replace_file
from synthetic_bag import SyntheticRobot, write_robot_bag

from evla_ros.data.bags.definitions import typestore
from evla_ros.data.bags.reader import open_bag
from evla_ros.embodiment import Embodiment, load_embodiment, parse_embodiment

SQLITE_PAGE = 4096


def camera_robot() -> Embodiment:
    """Return a robot with a raw and a compressed camera."""
    text = load_embodiment("tabletop_arm").text
    text = text.replace(
        "wrist/image_raw, transport: raw", "wrist/image_raw/compressed, transport: compressed"
    )
    return parse_embodiment(text)


def small_robot() -> SyntheticRobot:
    """Return a recording of a second and a half."""
    return SyntheticRobot(camera_robot(), 1.6, camera_size=(24, 32), camera_hz=10.0, pose_hz=25.0)


def ours(folder: Path) -> Path:
    """Write a bag as our recorder does: chunks with checksums."""
    return write_robot_bag(folder / "bag", small_robot())


def theirs(folder: Path, plugin: StoragePlugin, compression: CompressionMode) -> Path:
    """Write a bag as others do: no checksums, so that what is spoiled reaches the messages."""
    source, target, store = ours(folder / "source"), folder / "bag", typestore()
    writer = Writer(target, version=9, storage_plugin=plugin)
    if compression is not CompressionMode.NONE:
        writer.set_compression(compression, CompressionFormat.ZSTD)
    with open_bag(source) as bag, writer:
        writer.set_custom_data("embodiment", bag.info.custom_data["embodiment"])
        connections = {
            topic.name: writer.add_connection(topic.name, topic.type, typestore=store)
            for topic in bag.info.topics.values()
        }
        for message in bag.messages():
            writer.write(connections[message.topic], message.receive_ns, message.data)
    return target


def spoil_bag(folder: Path, random: Random) -> None:
    """Spoil a storage file, metadata.yaml, or which files there are."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    metadata = folder / "metadata.yaml"
    storage = next(path for path in files if path != metadata)
    kind = random.random()
    if kind < 0.35:
        metadata.write_bytes(spoil_yaml(metadata.read_bytes(), random))
    elif kind < 0.4:
        replace_file(files[random.integers(len(files))], random)
    else:
        if kind < 0.6:
            metadata.unlink()
        storage.write_bytes(spoil_bytes(storage.read_bytes(), random))


def bag_calls(folder: Path, out: Path) -> Sequence[Call]:
    """Return what opens a bag: `evla inspect`, its pictures, and `evla convert`."""
    robot = out / "robot.yaml"
    robot.write_text(camera_robot().text)
    return (
        evla("inspect", folder),
        evla("inspect", folder, "--json", "--sheet", out / "sheet.png"),
        evla("convert", folder, "--out", out / "a", "--jobs", 1, "--image-size", 32),
        partial(_convert_with_all, folder, out, robot),
    )


def _convert_with_all(folder: Path, out: Path, robot: Path) -> None:
    """Convert with every gate open, and look for faults of our own among the reasons."""
    from evla_ros.data.convert.bag_job import convert_bag
    from evla_ros.data.convert.gates import GATES
    from evla_ros.data.convert.options import ConvertOptions

    options = ConvertOptions(robot.read_text(), (32, 32), idle="keep", allow=tuple(GATES))
    result = convert_bag(folder, options, out / "staging")
    if result.reason.startswith("unexpected "):
        raise AssertionError(result.reason)


_MADE = {
    "mcap": ours,
    "mcap_unchecked": partial(theirs, plugin=StoragePlugin.MCAP, compression=CompressionMode.NONE),
    "mcap_zstd": partial(theirs, plugin=StoragePlugin.MCAP, compression=CompressionMode.STORAGE),
    "sqlite": partial(theirs, plugin=StoragePlugin.SQLITE3, compression=CompressionMode.NONE),
    "message_zstd": partial(
        theirs, plugin=StoragePlugin.SQLITE3, compression=CompressionMode.MESSAGE
    ),
    "file_zstd": partial(theirs, plugin=StoragePlugin.MCAP, compression=CompressionMode.FILE),
}
BAGS = tuple(Subject(f"bag_{name}", make, spoil_bag, bag_calls) for name, make in _MADE.items())
