# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla bench fleet`: how many robots one server answers in time, by formula and by simulation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from evla_ros.bench.report import Printed, Row
from evla_ros.options import Option
from evla_ros.serving.capacity import Load, period_s, robots, simulate

EXAMPLES = """example:
  evla bench fleet --fixed-ms 60 --each-ms 6 --chunk 8 --rate 10 --deadline-ms 400
  evla bench fleet --fixed-ms 60 --each-ms 6 --chunk 16 --rate 10 --replan-ms 600 --deadline-ms 600

Take --fixed-ms and --each-ms from `evla_inference_seconds` and `evla_batch_size` of a server, or
from `evla bench serve`. See docs/fleet.md for what the rows mean."""


@dataclass(frozen=True, kw_only=True)
class Options(Printed):
    """A policy, its robots and their network."""

    fixed_ms: Annotated[float, Option("of a batch, whatever is in it", "MS", above=0)]
    each_ms: Annotated[float, Option("more per question in it", "MS", above=0)]
    chunk: Annotated[int, Option("actions of an answer", "K", least=1)] = 8
    rate: Annotated[float, Option("actions a second", "HZ", above=0)] = 10.0
    replan_ms: Annotated[float, Option("asked when the chunk lasts no longer", "MS", least=0)] = (
        400.0
    )
    deadline_ms: Annotated[float, Option("an answer is of use within it", "MS", above=0)] = 400.0
    network_ms: Annotated[float, Option("there and back", "MS", least=0)] = 5.0
    jitter_ms: Annotated[float, Option("standard deviation of it", "MS", least=0)] = 2.0
    max_batch: Annotated[int, Option("of the server", "N", least=1)] = 64
    fleet: Annotated[int, Option("robots to find servers for", "N", least=1)] = 1000


def rows(options: Options) -> Iterable[Row]:
    """Compute and simulate."""
    load = Load(
        options.fixed_ms / 1e3,
        options.each_ms / 1e3,
        period_s(options.chunk, options.rate, options.replan_ms / 1e3),
        options.deadline_ms / 1e3,
        options.network_ms / 1e3,
        options.jitter_ms / 1e3,
        options.max_batch,
    )
    count = robots(load)
    yield Row("fleet.period", 1e3 * load.period_s, "ms")
    yield Row("fleet.robots_per_server", count, "1")
    yield Row("fleet.servers", -(-options.fleet // count) if count else float("inf"), "1")
    for part in (0.5, 1.0, 1.2):
        several = max(1, round(part * count))
        times = simulate(load, several, 60 * load.period_s)
        context = {"robots": several}
        p99 = 1e3 * float(np.percentile(times, 99))
        yield Row("fleet.simulated.p99", p99, "ms", None, options.deadline_ms, context)
        late = float(np.mean(times > load.deadline_s))
        yield Row("fleet.simulated.late", 100 * late, "%", None, 1.0, context)
