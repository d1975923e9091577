# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run the conversion of one bag over many: here, in a pool of processes, or on a Ray cluster."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from evla_ros.data.convert.bag_job import BagResult, convert_bag
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.ray_engine import on_ray

KILLED = "converting it kills the process, also alone (out of memory?); see `dmesg`"
Work = Callable[[Path, ConvertOptions, Path], BagResult]
Engine = Callable[[Sequence[Path], ConvertOptions, Path], Iterator[BagResult]]


def serial(bags: Sequence[Path], options: ConvertOptions, staging: Path) -> Iterator[BagResult]:
    """Convert the bags one after the other in this process."""
    _one_thread()
    for bag in bags:
        yield convert_bag(bag, options, staging)


def process_pool(jobs: int, work: Work = convert_bag) -> Engine:
    """Return an engine that converts in `jobs` processes.

    Only a few bags are submitted at a time, so the memory does not grow with the number of bags.
    When a process is killed, the bags that were in work are converted again, each alone; the one
    that kills its process then too is quarantined, and the others go on.

    Args:
        jobs: How many processes.
        work: What converts one bag.
    """

    def engine(bags: Sequence[Path], options: ConvertOptions, staging: Path) -> Iterator[BagResult]:
        todo = list(bags)
        while todo:
            suspects = yield from _until_killed(jobs, work, todo, options, staging)
            for bag in suspects:
                if (yield from _until_killed(1, work, [bag], options, staging)):
                    yield BagResult(str(bag), "quarantined", KILLED)

    return engine


def _until_killed(
    jobs: int, work: Work, todo: list[Path], options: ConvertOptions, staging: Path
) -> Generator[BagResult, None, list[Path]]:
    """Convert bags, taking them from `todo`; return those in work when a process was killed."""
    context = multiprocessing.get_context("spawn")
    running: dict[Future[BagResult], Path] = {}
    with ProcessPoolExecutor(jobs, context, initializer=_start_worker) as pool:
        try:
            while todo or running:
                while todo and len(running) < 2 * jobs:
                    running[pool.submit(work, todo[0], options, staging)] = todo[0]
                    todo.pop(0)
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    del running[future]
                    yield result
        except BrokenProcessPool:
            return list(running.values()) or todo[:1]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return []


def ray_cluster(address: str | None) -> Engine:
    """Return an engine that converts on a Ray cluster, whose nodes need not share a folder.

    Args:
        address: The cluster to join; None starts one on this machine.
    """

    def engine(bags: Sequence[Path], options: ConvertOptions, staging: Path) -> Iterator[BagResult]:
        yield from on_ray(bags, options, staging, address)

    return engine


def make_engine(name: str, jobs: int, address: str | None = None) -> Engine:
    """Return the engine called `local` or `ray`.

    Args:
        name: `local` or `ray`.
        jobs: Processes of the local engine; 1 converts in this process.
        address: The Ray cluster to join; None starts one here.
    """
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
