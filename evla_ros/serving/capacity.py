# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many robots one server answers in time: a formula, and a simulation that checks it.

A batch of b questions takes `fixed_s + each_s * b`. Robots that ask every `period_s` bring
n / period_s questions a second, and whatever waits is computed together. So batches settle where a
batch takes as long as its questions took to arrive: fixed_s / (1 - n * each_s / period_s). A
question waits for the batch under way, then for its own: at most two such times.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass

import numpy as np

_IN_99 = 2.33  # standard deviations
_FULL = 0.8  # of the largest batch: a server that is always full never catches up
_VARYING = 1.1  # batches that follow a large one are larger


@dataclass(frozen=True)
class Load:
    """What robots ask of one server.

    Attributes:
        fixed_s: time of a batch, whatever is in it.
        each_s: more time per question in it.
        period_s: between two questions of a robot.
        deadline_s: an answer is of use within this time.
        network_s: usual time of the network, there and back.
        jitter_s: standard deviation of it.
        max_batch: the most questions of a batch.
    """

    fixed_s: float
    each_s: float
    period_s: float
    deadline_s: float
    network_s: float = 0.0
    jitter_s: float = 0.0
    max_batch: int = 64


def period_s(chunk: int, rate_hz: float, replan_time_left_s: float) -> float:
    """Return how often a robot asks that starts to when the chunk lasts no longer than that."""
    return max(chunk / rate_hz - replan_time_left_s, 1.0 / rate_hz)


def robots(load: Load) -> int:
    """Return the most robots whose answers come in time by the formula, 99 of 100 of them."""
    if _p99_s(load, 1) > load.deadline_s:
        return 0
    count = 1
    while _p99_s(load, 2 * count) <= load.deadline_s:
        count *= 2
    step = count
    while step := step // 2:
        if _p99_s(load, count + step) <= load.deadline_s:
            count += step
    return count


def _p99_s(load: Load, count: int) -> float:
    """Return the time within which 99 of 100 answers come, by the formula."""
    if count == 1:
        return load.fixed_s + load.each_s + load.network_s + _IN_99 * load.jitter_s
    settled_s = batch_s(load, count)
    size = count * settled_s / load.period_s
    if size > _FULL * load.max_batch:
        return math.inf
    # Two batches whose sizes vary as counts of independent arrivals do, and the network.
    deviation_s = math.hypot(load.jitter_s, load.each_s * math.sqrt(2.0 * max(size, 1.0)))
    return _VARYING * 2.0 * settled_s + load.network_s + _IN_99 * deviation_s


def batch_s(load: Load, count: int) -> float:
    """Return how long a batch takes where batches have settled; infinite when they never do."""
    busy = count * load.each_s / load.period_s
    if busy >= 1.0:
        return math.inf
    return max(load.fixed_s / (1.0 - busy), load.fixed_s + load.each_s)


def simulate(load: Load, count: int, seconds: float, seed: int = 0) -> np.ndarray:
    """Return the times [s] from question to answer of so many robots, as they come.

    Each robot asks anew one period after its last question, or when the answer is there, whichever
    is later; the first questions are spread over a period. Half of the network's time lies before
    the server, half behind it.
    """
    random = np.random.default_rng(seed)

    def network_s() -> float:
        return max(0.0, random.normal(load.network_s, load.jitter_s)) if load.network_s else 0.0

    asks = [
        (float(start), robot) for robot, start in enumerate(random.uniform(0, load.period_s, count))
    ]
    arrivals = [(asked + 0.5 * network_s(), asked, robot) for asked, robot in asks]
    heapq.heapify(arrivals)
    waiting: list[tuple[float, float, int]] = []
    times: list[float] = []
    free_s = 0.0
    while arrivals or waiting:
        if not waiting:
            free_s = max(free_s, arrivals[0][0])
        while arrivals and arrivals[0][0] <= free_s:
            waiting.append(heapq.heappop(arrivals))
        batch, waiting = waiting[: load.max_batch], waiting[load.max_batch :]
        free_s += load.fixed_s + load.each_s * len(batch)
        for _, asked, robot in batch:
            answered = free_s + 0.5 * network_s()
            times.append(answered - asked)
            following = max(asked + load.period_s, answered)
            if following < seconds:
                heapq.heappush(arrivals, (following + 0.5 * network_s(), following, robot))
    return np.asarray(times)
