# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks data`: bags, converter, recorder and its ceiling, RLDS writer, reader."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

from benchmarks.dataset import DatasetOptions
from evla_ros.bench.report import Printed, Row
from evla_ros.options import Option


@dataclass(frozen=True, kw_only=True)
class Options(Printed):
    """Which parts, and for how long."""

    only: Annotated[
        tuple[Literal["bags", "convert", "recorder", "ramp", "dataset"], ...],
        Option("measure only these parts"),
    ] = ("bags", "convert", "recorder", "ramp", "dataset")
    bag_seconds: Annotated[float, Option("of robot time per bag", "S", above=0)] = 10.0
    record_seconds: Annotated[float, Option("300 for the long run", "S", above=0)] = 10.0
    dds: Annotated[
        tuple[Literal["default", "large_images"], ...], Option("recorder: Fast DDS profiles")
    ] = ("default", "large_images")
    dataset: DatasetOptions = field(default_factory=DatasetOptions)


def rows(options: Options) -> Iterator[Row]:
    """Yield every row; the recorder's need ROS 2."""
    if "bags" in options.only:
        from benchmarks import bag_rows

        yield from bag_rows.rows(round(30 * options.bag_seconds))
    if "convert" in options.only:
        from benchmarks import convert_rows

        yield from convert_rows.rows(options.bag_seconds)
    if importlib.util.find_spec("rclpy") is not None:
        from benchmarks import recorder_rows

        if "recorder" in options.only:
            yield from recorder_rows.rows(options.record_seconds, options.dds)
        if "ramp" in options.only:
            yield from recorder_rows.ramp(min(options.record_seconds, 8.0), options.dds)
    if "dataset" in options.only:
        from benchmarks import dataset

        yield from dataset.rows(options.dataset)
