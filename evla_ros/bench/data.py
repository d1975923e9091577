# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla bench data`: bag writing, converter, recorder and its ceiling, RLDS writer and reader."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Iterator
from pathlib import Path

from evla_ros.bench.report import Row

PARTS = ("bags", "convert", "recorder", "ramp", "dataset")
PROFILES = ("default", "large_images")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--only", choices=PARTS, action="append", help="measure only this part")
    parser.add_argument("--bag-seconds", type=float, default=10.0, help="of robot time per bag")
    parser.add_argument("--record-seconds", type=float, default=10.0, help="300 for the long run")
    parser.add_argument(
        "--dds", choices=PROFILES, action="append", help="recorder: only this Fast DDS profile"
    )
    _dataset_arguments(parser)


def rows(arguments: argparse.Namespace) -> Iterator[Row]:
    """Yield every row; the recorder's need ROS 2."""
    parts = arguments.only or PARTS
    if "bags" in parts:
        from evla_ros.bench import bag_rows

        yield from bag_rows.rows(round(30 * arguments.bag_seconds))
    if "convert" in parts:
        from evla_ros.bench import convert_rows

        yield from convert_rows.rows(arguments.bag_seconds)
    if importlib.util.find_spec("rclpy") is not None:
        from evla_ros.bench import recorder_rows

        profiles = arguments.dds or PROFILES
        if "recorder" in parts:
            yield from recorder_rows.rows(arguments.record_seconds, profiles)
        if "ramp" in parts:
            yield from recorder_rows.ramp(min(arguments.record_seconds, 8.0), profiles)
    if "dataset" in parts and _has_dataset():
        from evla_ros.bench import dataset

        yield from dataset.rows(arguments)


def _has_dataset() -> bool:
    return Path(__file__).with_name("dataset.py").is_file()


def _dataset_arguments(parser: argparse.ArgumentParser) -> None:
    if _has_dataset():
        from evla_ros.bench import dataset

        dataset.add_arguments(parser)
