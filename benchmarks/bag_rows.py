# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Writing the same camera messages without ROS: our bag writer beside rosbags and plain mcap."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from evla_ros.bench.report import Row
from evla_ros.data.bags.definitions import definition_of, typestore
from evla_ros.data.bags.encode import encode_image
from evla_ros.data.bags.writer import McapBagWriter

IMAGE = "sensor_msgs/msg/Image"


def rows(count: int) -> Iterator[Row]:
    """Yield MB/s of `count` raw 640x480 images; the floor is writing the bytes to one file."""
    pixels = np.random.default_rng(0).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    message = encode_image(1, "camera", pixels)
    with tempfile.TemporaryDirectory(prefix="evla_bench_") as name:
        folder = Path(name)
        floor = _best(_plain, folder, message, count)
        what = {"messages": count, "size": "640x480", "compression": "none"}
        for label, write in (("evla_ros", _ours), ("rosbags", _rosbags)):
            rate = _best(write, folder, message, count)
            yield Row("data.bag.write", rate, "MB/s", floor, 110.0, {"writer": label, **what})


def _best(
    write: Callable[[Path, bytes, int], None], folder: Path, message: bytes, count: int
) -> float:
    rates = []
    for attempt in range(3):
        target = folder / f"bag{attempt}"
        started = time.perf_counter()
        write(target, message, count)
        rates.append(count * len(message) / 1e6 / (time.perf_counter() - started))
        shutil.rmtree(target)
    return max(rates)


def _plain(target: Path, message: bytes, count: int) -> None:
    target.mkdir()
    with (target / "file").open("wb") as stream:
        for _ in range(count):
            stream.write(message)


def _ours(target: Path, message: bytes, count: int) -> None:
    writer = McapBagWriter(target)
    channel = writer.add_topic("/camera", IMAGE, definition_of(IMAGE))
    for index in range(count):
        writer.write(channel, message, index)
    writer.close(durable=False)


def _rosbags(target: Path, message: bytes, count: int) -> None:
    from rosbags.rosbag2 import StoragePlugin, Writer

    with Writer(target, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection("/camera", IMAGE, typestore=typestore())
        for index in range(count):
            writer.write(connection, index, message)
