# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The console beside a policy node: its processor share, age of pictures, effect on goals."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from evla_ros.bench.goal_timing import grid_lateness
from evla_ros.bench.policy_rig import VGA, Rig
from evla_ros.bench.report import Printed, Row
from evla_ros.errors import EvlaError
from evla_ros.options import Option
from evla_ros.ros.executables import MODULES
from evla_ros.ros.node_arguments import parameter_arguments
from evla_ros.units import SECOND_NS

_PAGE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Options(Printed):
    """How long a turn is, how many there are, and how long memory is watched."""

    seconds: Annotated[float, Option("of a turn with and one without a viewer", "S", above=0)] = (
        10.0
    )
    turns: Annotated[int, Option("of each", "N", least=1)] = 3
    soak: Annotated[float, Option("with a viewer, for memory; 0: none", "S", least=0)] = 0.0


def rows(options: Options) -> Iterable[Row]:
    """Measure and yield the rows."""
    os.environ.setdefault("ROS_DOMAIN_ID", "91")
    with Rig(robot=VGA) as rig, _console() as (process, address):
        rig.bring_up()
        shares: dict[bool, list[float]] = {False: [], True: []}
        late_ms: dict[bool, list[float]] = {False: [], True: []}
        ages_ms: list[float] = []
        for turn in range(2 * options.turns):
            watched = bool(turn % 2)
            seen, share, late = _turn(rig, process, address, options.seconds, watched=watched)
            shares[watched].append(share)
            late_ms[watched].append(late)
            ages_ms += seen
        yield from _shown(options, shares, late_ms, ages_ms)
        if options.soak:
            yield from _memory(process, address, options.soak)


def _shown(
    options: Options,
    shares: dict[bool, list[float]],
    late_ms: dict[bool, list[float]],
    ages_ms: list[float],
) -> Iterator[Row]:
    context = {"cameras": "2x640x480@30 raw", "seconds": options.seconds, "turns": options.turns}
    yield Row("console.core.no_viewer", min(shares[False]), "core", context=context)
    yield Row("console.core.one_viewer", min(shares[True]), "core", goal=0.15, context=context)
    p50, p95 = np.percentile(ages_ms, [50, 95])
    counted = {**context, "pictures": len(ages_ms)}
    yield Row("console.glass_to_client.p50", float(p50), "ms", goal=150.0, context=counted)
    yield Row("console.glass_to_client.p95", float(p95), "ms", context=counted)
    without, watched = (float(np.median(late_ms[one])) for one in (False, True))
    yield Row("console.goal_lateness_p99", watched, "ms", floor=without, context=context)


def _turn(
    rig: Rig, process: psutil.Process, address: str, seconds: float, *, watched: bool
) -> tuple[list[float], float, float]:
    """Return the ages of pictures [ms], the processor share, and the goals' lateness p99 [ms]."""
    ended, ages = threading.Event(), list[float]()
    viewer = threading.Thread(target=_view, args=(address, ended, ages), daemon=True)
    if watched:
        viewer.start()
        time.sleep(2.0)
    rig.robot.goals[0].clear()
    ages.clear()
    before, begun_s = _used_s(process), time.monotonic()
    time.sleep(seconds)
    share = (_used_s(process) - before) / (time.monotonic() - begun_s)
    goals = [goal.arrived_ns for goal in rig.robot.goals[0]]
    ended.set()
    if watched:
        viewer.join(5.0)
    if len(goals) < 2:
        raise EvlaError(
            f"the policy gave {len(goals)} goals in {seconds:g} s: this machine is too busy for "
            "the measurement; run it again when it is quiet"
        )
    period_ns = round(SECOND_NS / rig.embodiment.goal_rate_hz)
    return ages, share, grid_lateness(goals, period_ns).p99_ms


def _view(address: str, ended: threading.Event, ages_ms: list[float]) -> None:
    """Do what a page does: take states and pictures, and acknowledge them."""

    def control() -> None:
        page = f"ws://{address}/control?page=benchmark"
        with contextlib.suppress(ConnectionClosed), connect(page) as socket_:
            while not ended.is_set():
                socket_.recv(timeout=5.0)

    threading.Thread(target=control, daemon=True).start()
    with contextlib.suppress(ConnectionClosed), connect(f"ws://{address}/video") as video:
        video.send(json.dumps({"show": ["primary", "wrist"]}))
        while not ended.is_set():
            data = video.recv(timeout=5.0)
            size = int.from_bytes(data[:4], "little")
            head = json.loads(data[4 : 4 + size])
            video.send(json.dumps({"got": head["camera"]}))
            if head["age_s"] >= 0.0:
                ages_ms.append(1e3 * head["age_s"])


def _memory(process: psutil.Process, address: str, seconds: float) -> Iterator[Row]:
    """Yield by how much memory grows from the first fifth to the last."""
    ended, used_mib, ages_ms = threading.Event(), list[float](), list[float]()
    threading.Thread(target=_view, args=(address, ended, ages_ms), daemon=True).start()
    for _ in range(max(10, round(seconds))):
        time.sleep(1.0)
        memory = process.memory_info()
        used_mib.append((memory.rss - memory.shared) / 2**20)  # what DDS shares is its own
    ended.set()
    part = len(used_mib) // 5
    first, last = np.median(used_mib[part : 2 * part]), np.median(used_mib[-part:])
    context = {"seconds": seconds, "MiB": round(float(last), 1), "pictures": len(ages_ms)}
    yield Row("console.memory_growth", float(last - first), "MiB", goal=5.0, context=context)


@contextmanager
def _console() -> Iterator[tuple[psutil.Process, str]]:
    """Run a console node in a process of its own; yields the process and host:port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    argv: list[Any] = [sys.executable, "-m", MODULES["console"], "--ros-args"]
    argv += parameter_arguments({"port": port})
    process = subprocess.Popen(argv, stderr=subprocess.DEVNULL)
    try:
        _await_page(f"http://127.0.0.1:{port}/healthz")
        yield psutil.Process(process.pid), f"127.0.0.1:{port}"
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10)


def _await_page(address: str) -> None:
    end_s = time.monotonic() + _PAGE_S
    while time.monotonic() < end_s:
        try:
            urllib.request.urlopen(address, timeout=1.0).close()  # noqa: S310
            return
        except OSError:
            time.sleep(0.1)
    raise EvlaError(f"the console does not answer at {address}")


def _used_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
