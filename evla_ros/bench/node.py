# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla bench node`: the policy node on real DDS, with this process as its cameras and its robot.

Jitter of the goals is measured while inference keeps a processor busy. A stop is measured from its
cause to the first goal that stands still.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal

from evla_ros.bench.report import Printed, Row
from evla_ros.options import Option
from evla_ros.shared_files import large_images_profile


@dataclass(frozen=True, kw_only=True)
class Options(Printed):
    """What is measured, and for how long."""

    seconds: Annotated[float, Option("of motion under load", "S", above=0)] = 20.0
    long: Annotated[bool, Option("5 minutes of motion under load")] = False
    repeats: Annotated[int, Option("of each kind of stop", "N", least=0)] = 5
    workers: Annotated[
        tuple[Literal["process", "thread"], ...],
        Option("where inference runs, one after the other"),
    ] = ("process", "thread")
    realtime: Annotated[
        int,
        Option("SCHED_FIFO priority of the node under load", "P", least=0, most=99, unset="none"),
    ] = 0
    memory: Annotated[
        bool,
        Option("only an hour's worth of camera frames, several times as fast (about 10 minutes)"),
    ] = False
    default_dds: Annotated[
        bool,
        Option("without config/dds/fastdds_large_images.xml (Fast DDS then loses large images)"),
    ] = False
    domain: Annotated[int, Option("ROS domain to measure in", "D", least=0, most=232)] = 49


def rows(options: Options) -> Iterable[Row]:
    """Measure; each part starts its own node."""
    from evla_ros.bench.node_memory import HOUR_FRAMES, memory_rows
    from evla_ros.bench.node_motion import idle, jitter, latency
    from evla_ros.bench.node_stops import stops

    os.environ["ROS_DOMAIN_ID"] = str(options.domain)
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ.pop("ROS_PYTHON_CHECK_FIELDS", None)
    if not options.default_dds:
        for name in ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):
            os.environ.setdefault(name, str(large_images_profile()))
    # The robot's threads are Python here: none of them shall wait long for another.
    sys.setswitchinterval(0.0005)
    if options.memory:
        yield from memory_rows(HOUR_FRAMES)
        return
    seconds = 300.0 if options.long else options.seconds
    for worker in options.workers:
        yield from jitter(worker, seconds, options.realtime)
        yield from latency(worker)
    yield from idle()
    yield from stops(options.repeats)
