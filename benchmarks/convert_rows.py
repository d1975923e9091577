# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Converter frames per second against the floor of reading, resizing and JPEG; and its memory."""

from __future__ import annotations

import multiprocessing
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

from synthetic_bag import SyntheticRobot, write_robot_bag

from evla_ros.bench.report import Row
from evla_ros.data.bags.reader import open_bag
from evla_ros.data.codecs.camera import rgb_from_cdr
from evla_ros.data.convert.bag_job import convert_bag
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.image_resize import resize_rgb
from evla_ros.embodiment import load_embodiment
from evla_ros.embodiment.streams import IMAGE

EVERY = 3  # 30 Hz pictures on a 10 Hz grid
CAMERAS = "2x640x480"


def rows(seconds: float) -> Iterator[Row]:
    """Yield the converter's rows; `seconds` of robot time per bag."""
    robot = SyntheticRobot(
        load_embodiment("tabletop_arm"), seconds=seconds, camera_size=(480, 640), camera_hz=30.0
    )
    with tempfile.TemporaryDirectory(prefix="evla_bench_") as name:
        folder = Path(name)
        bags = [write_robot_bag(folder / f"b{i}", replace(robot, seed=i)) for i in range(2)]
        options = ConvertOptions(robot.embodiment.text, idle="keep")
        for processes in (1, 2):
            yield from _speed(bags, options, folder / f"staging{processes}", processes)
        yield from _memory(robot, options, folder)


def _speed(
    bags: list[Path], options: ConvertOptions, staging: Path, processes: int
) -> Iterator[Row]:
    chosen = bags[:processes]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=_warm) as pool:
        list(pool.map(_warm_up, range(2 * processes)))
        floor = sum(pool.map(floor_frames_per_s, chosen))
        started = time.perf_counter()
        jobs = [pool.submit(convert_bag, bag, options, staging) for bag in chosen]
        frames = sum(job.result().frames for job in jobs)
        rate = frames / (time.perf_counter() - started)
    what = {"processes": processes, "cameras": CAMERAS, "source": "raw", "size": "224"}
    yield Row("data.convert.frames_per_s", rate, "1/s", floor, 0.8 * floor, what)
    yield Row("data.convert.share_of_floor", rate / floor, "", 1.0, 0.8, what)


def _memory(robot: SyntheticRobot, options: ConvertOptions, folder: Path) -> Iterator[Row]:
    """Peak memory for a bag, and for one three times as long."""
    for index, factor in enumerate((1, 3)):
        bag = folder / f"long{index}"
        write_robot_bag(bag, replace(robot, seconds=robot.seconds * factor, seed=7))
        size = sum(file.stat().st_size for file in bag.iterdir()) / 1e6
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, context) as pool:
            peak = pool.submit(_peak_mib, bag, options, folder / "staging").result()
        shutil.rmtree(bag)
        yield Row("data.convert.peak_memory", peak, "MiB", None, 500.0, {"bag": f"{size:.0f} MB"})


def _peak_mib(bag: Path, options: ConvertOptions, staging: Path) -> float:
    result = convert_bag(bag, options, staging)
    if result.status != "kept":
        raise RuntimeError(result.reason)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def _warm() -> None:
    import cv2

    cv2.setNumThreads(1)


def _warm_up(_index: int) -> None:
    time.sleep(0.2)


def floor_frames_per_s(bag: Path) -> float:
    """Return frames per second of nothing but reading every message, resizing, and JPEG."""
    frames, seen = 0, 0
    started = time.perf_counter()
    with open_bag(bag) as opened:
        for message in opened.messages():
            if not message.topic.endswith("image_raw"):
                continue
            seen += 1
            if seen % EVERY == 0:
                encode_jpeg(resize_rgb(rgb_from_cdr(message.data, IMAGE), 224))
                frames += 1
    return frames / (time.perf_counter() - started)
