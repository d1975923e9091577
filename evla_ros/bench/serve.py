# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla bench serve`: what a policy server adds to the policy, and how it shares it."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np

from evla_ros.bench.report import Printed, Row
from evla_ros.bench.serve_process import ServerProcess
from evla_ros.embodiment import Embodiment, load_embodiment, proprio_layout
from evla_ros.options import Option
from evla_ros.policy.remote.address import ServerAddress
from evla_ros.policy.remote.remote_policy import RemotePolicy
from evla_ros.policy.shipped import shipped_checkpoint
from evla_ros.policy.spec import PolicySpec, build_policy
from evla_ros.policy.types import Observation

EXAMPLES = """example:
  evla bench serve
  evla bench serve --clients 1 4 --requests 100000 --json

Everything runs on this machine, over the loopback interface: server, clients and network share its
cores. The floor of an added latency is a message of the same size through an echoing socket."""
SIDE = 224


@dataclass(frozen=True, kw_only=True)
class Options(Printed):
    """What is served, and how much it is asked."""

    embodiment: Annotated[str, Option("the robot; its shipped checkpoint is served")] = (
        "tabletop_arm"
    )
    clients: Annotated[tuple[int, ...], Option("how many ask at once", "N", least=1)] = (1, 4, 16)
    questions: Annotated[int, Option("per row of latency", "N", least=20)] = 200
    seconds: Annotated[float, Option("per row of answers a second", "S", above=0)] = 5.0
    requests: Annotated[int, Option("for the row of memory", "N", least=100)] = 5000
    threads: Annotated[int, Option("of the network, in the server and alone", "N", least=1)] = 1


def rows(options: Options) -> Iterable[Row]:
    """Measure latency, sharing, memory and reconnecting."""
    robot = load_embodiment(options.embodiment)
    folder = shipped_checkpoint(robot)
    with tempfile.TemporaryDirectory(prefix="evla_bench_") as logs:
        hold = ["hold", "--embodiment", options.embodiment]
        with ServerProcess(hold, Path(logs) / "hold.log") as server:
            yield from _latency(options, robot, server)
            yield from _memory(options, robot, server)
        yield from _reconnecting(robot, hold, Path(logs))
        if folder is not None:
            words = [str(folder), "--threads", str(options.threads)]
            with ServerProcess(words, Path(logs) / "checkpoint.log") as server:
                yield from _sharing(options, robot, folder, server)


def _latency(options: Options, robot: Embodiment, server: ServerProcess) -> Iterator[Row]:
    """Ask a policy that computes nothing: what is left is the server, the wire and the client."""
    asked = _observation(robot)
    for encoding in ("raw", "jpeg"):
        policy = RemotePolicy(ServerAddress(server.url), robot, 10.0, encoding)
        _times_ms(policy, asked, 5)
        busy_s = server.counters()["process_cpu_seconds_total"] + time.process_time()
        took_ms = _times_ms(policy, asked, options.questions)
        busy_s = server.counters()["process_cpu_seconds_total"] + time.process_time() - busy_s
        context = {"images": len(policy.cameras), "pixels": SIDE, "encoding": encoding}
        floor = server.echo_ms(asked, policy.cameras, encoding)
        for percent, goal in ((50, 3.0), (99, 8.0)):
            value = float(np.percentile(took_ms, percent))
            yield Row(f"serve.added.p{percent}", value, "ms", floor[percent], goal, context)
        cpu_ms = 1e3 * busy_s / (options.questions + 5)
        yield Row("serve.added.cpu", cpu_ms, "ms", None, None, context)
        policy.close()


def _memory(options: Options, robot: Embodiment, server: ServerProcess) -> Iterator[Row]:
    policy = RemotePolicy(ServerAddress(server.url), robot, 10.0, "raw")
    asked = _observation(robot, 64)
    _times_ms(policy, asked, options.requests // 10)
    before = server.resident_bytes()
    _times_ms(policy, asked, options.requests)
    growth = (server.resident_bytes() - before) / 2**20
    context = {"requests": options.requests, "resident_mib": round(before / 2**20)}
    yield Row("serve.memory.growth", growth, "MiB", 0.0, 8.0, context)


def _reconnecting(robot: Embodiment, words: list[str], logs: Path) -> Iterator[Row]:
    """Kill the server, start it on the same port, and ask until there is an answer."""
    with ServerProcess(words, logs / "first.log") as first:
        policy = RemotePolicy(ServerAddress(first.url), robot, 2.0, "raw")
        policy.infer(_observation(robot))
        port = first.port
        first.kill()
    with ServerProcess(words, logs / "second.log", port):
        start_s = time.monotonic()
        while True:
            try:
                policy.infer(_observation(robot))
                break
            except Exception:  # noqa: BLE001 - until it is found again
                time.sleep(0.005)
        yield Row("serve.reconnect", 1e3 * (time.monotonic() - start_s), "ms", None, 500.0)


def _sharing(
    options: Options, robot: Embodiment, folder: Path, server: ServerProcess
) -> Iterator[Row]:
    """Answers a second of a checkpoint, alone in this process and shared by clients."""
    asked = _observation(robot)
    spec = PolicySpec("evla", robot.text, checkpoint=str(folder), threads=options.threads)
    alone = 1e3 / float(np.median(_times_ms(build_policy(spec), asked, options.questions // 4)))
    context: dict[str, Any] = {"threads": options.threads}
    yield Row("serve.rate.in_process", alone, "1/s", context=context)
    for count in options.clients:
        before = server.counters()
        rate = _rate(server.url, robot, asked, count, options.seconds)
        after = server.counters()
        batches = after["evla_batch_size_count"] - before["evla_batch_size_count"]
        size = (after["evla_batch_size_sum"] - before["evla_batch_size_sum"]) / max(batches, 1)
        context = {"clients": count, "threads": options.threads, "mean_batch": round(size, 2)}
        yield Row("serve.rate", rate, "1/s", alone, None, context)
        yield Row("serve.rate.gain", rate / alone, "1", None, None, context)


def _rate(url: str, robot: Embodiment, asked: Observation, clients: int, seconds: float) -> float:
    """Return the answers a second that so many clients get together."""
    counts = [0] * clients
    end_s = time.monotonic() + seconds

    def ask(index: int) -> None:
        policy = RemotePolicy(ServerAddress(url), robot, 60.0, "raw")
        while time.monotonic() < end_s:
            policy.infer(asked)
            counts[index] += 1
        policy.close()

    threads = [threading.Thread(target=ask, args=(index,)) for index in range(clients)]
    start_s = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.monotonic() - start_s)


def _times_ms(policy: Any, asked: Observation, count: int) -> list[float]:
    for _ in range(5):
        policy.infer(asked)
    times = []
    for _ in range(count):
        start = time.perf_counter()
        policy.infer(asked)
        times.append(1e3 * (time.perf_counter() - start))
    return times


def _observation(robot: Embodiment, side: int = SIDE) -> Observation:
    """Return noise of a camera's kind: smooth, so that JPEG has its usual size."""
    random = np.random.default_rng(0)
    coarse = random.integers(0, 255, (side // 8, side // 8, 3), np.uint8)
    image = np.kron(coarse, np.ones((8, 8, 1), np.uint8))
    images = dict.fromkeys(robot.cameras, image)
    state = np.zeros(proprio_layout(robot).size, np.float32)
    return Observation(0, images, state, "lift the red block")
