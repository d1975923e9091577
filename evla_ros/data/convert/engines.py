# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run the per-bag function over many bags: in this process, in a pool, or on a Ray cluster."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from evla_ros.data.convert.bag_job import BagResult, convert_bag
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.errors import EvlaError

Engine = Callable[[Sequence[Path], ConvertOptions, Path], Iterator[BagResult]]


def serial(bags: Sequence[Path], options: ConvertOptions, staging: Path) -> Iterator[BagResult]:
    """Convert one bag after the other, here."""
    _one_thread()
    for bag in bags:
        yield convert_bag(bag, options, staging)


def process_pool(jobs: int) -> Engine:
    """Return an engine of `jobs` processes; few bags wait in line, so memory stays flat."""

    def engine(bags: Sequence[Path], options: ConvertOptions, staging: Path) -> Iterator[BagResult]:
        context = multiprocessing.get_context("spawn")
        todo = list(bags)
        running: set[Future[BagResult]] = set()
        with ProcessPoolExecutor(jobs, context, initializer=_start_worker) as pool:
            try:
                while todo or running:
                    while todo and len(running) < 2 * jobs:
                        running.add(pool.submit(convert_bag, todo.pop(0), options, staging))
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
            except BrokenProcessPool as error:
                raise EvlaError(
                    "a conversion process was killed (out of memory?); run the command again to "
                    "resume, with fewer --jobs"
                ) from error
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    return engine


def ray_cluster(address: str | None) -> Engine:
    """Return an engine on a Ray cluster: `address`, or one that it starts on this machine.

    Bags and the output folder must be reachable by every node under the same path.
    """

    def engine(bags: Sequence[Path], options: ConvertOptions, staging: Path) -> Iterator[BagResult]:
        try:
            import ray
        except ImportError as error:
            raise EvlaError("--engine ray needs Ray: pip install 'evla_ros[ray]'") from error
        ours = not ray.is_initialized()
        if ours:
            ray.init(address=address, include_dashboard=False, log_to_driver=False)
        try:
            remote = ray.remote(num_cpus=1)(convert_bag)
            todo = list(bags)
            limit = 2 * max(1, int(ray.cluster_resources().get("CPU", 1)))
            running: list[object] = []
            while todo or running:
                while todo and len(running) < limit:
                    running.append(remote.remote(todo.pop(0), options, staging))
                done, running = ray.wait(running, num_returns=1)
                yield from ray.get(done)
        finally:
            if ours:
                ray.shutdown()

    return engine


def make_engine(name: str, jobs: int, address: str | None = None) -> Engine:
    """Return the engine called `local` or `ray`."""
    if name == "ray":
        return ray_cluster(address)
    return serial if jobs <= 1 else process_pool(jobs)


def _start_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    _one_thread()


def _one_thread() -> None:
    try:
        import cv2
    except ImportError:
        return
    cv2.setNumThreads(1)
