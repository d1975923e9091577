# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The work that the dataset benchmark times, each in a process of its own: write, read, floors.

Prints one JSON object per run, so that peak memory belongs to that work alone.
"""

from __future__ import annotations

import functools
import itertools
import json
import pickle
import resource
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from synthetic_dataset import synthetic_episode, write_synthetic

from benchmarks.dataset_work_options import Work
from evla_ros.cli.parser import parse
from evla_ros.data.episode import Episode
from evla_ros.data.image_jpeg import decode_rgb
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.embodiment import load_embodiment

SIZE = (224, 224)
ROBOT = "tabletop_arm"
BATCH = 64
FLOOR_STEPS = 1000  # held in memory, 13 kB a picture


def make(folder: Path, episodes: int, steps: int) -> dict[str, Any]:
    """Prepare episodes with encoded pictures as pickles, so that writing is timed without them."""
    robot = load_embodiment(ROBOT)
    folder.mkdir(parents=True, exist_ok=True)
    size = 0
    for index in range(episodes):
        episode = synthetic_episode(index, robot, steps=steps, size=SIZE)
        size += sum(len(data) for frames in episode.images.values() for data in frames)
        (folder / f"{index:05d}.pickle").write_bytes(pickle.dumps(episode))
    return {"image_bytes": size}


def write(folder: Path, target: Path) -> dict[str, Any]:
    """Write the prepared episodes as a dataset; the clock stops while a pickle is loaded."""
    robot = load_embodiment(ROBOT)
    loading = loading_busy = 0.0

    def load() -> Iterator[Episode]:
        nonlocal loading, loading_busy
        for path in sorted(folder.glob("*.pickle")):
            started, busy = time.perf_counter(), time.process_time()
            episode = pickle.loads(path.read_bytes())  # noqa: S301 - written by `make` above
            loading += time.perf_counter() - started
            loading_busy += time.process_time() - busy
            yield episode

    shutil.rmtree(target, ignore_errors=True)
    started, busy = time.perf_counter(), time.process_time()
    report = write_synthetic(target, load(), robot, size=SIZE, name="bench_set")
    seconds = time.perf_counter() - started - loading
    busy = time.process_time() - busy - loading_busy
    size = sum(path.stat().st_size for path in report.path.iterdir())
    return {
        "seconds": seconds,
        "cpu_s": busy,
        "episodes": sum(report.splits.values()),
        "steps": report.steps,
        "bytes": size,
        "path": str(report.path),
    }


def floor(path: Path, target: Path) -> dict[str, Any]:
    """Copy and checksum the same bytes once: what a writer that did nothing else would need."""
    from evla_ros.data.rlds.tfrecord import masked_crc32c

    payload = b"".join(p.read_bytes() for p in sorted(path.glob("*.tfrecord*")))
    started = time.perf_counter()
    masked_crc32c(payload)
    target.write_bytes(payload)
    seconds = time.perf_counter() - started
    target.unlink()
    return {"seconds": seconds}


def read(path: Path, cameras: int, threads: int, limit_s: float) -> dict[str, Any]:
    """Decode steps of `train`, fully shuffled, into batches for `limit_s` seconds."""
    dataset = RldsDataset.open(path)
    order = list(dataset.step_index("train").shuffled(0))
    keys = dataset.features.image_keys[:cameras]
    return _timed(functools.partial(read_batch, dataset, keys), order, keys, threads, limit_s)


def decode(path: Path, cameras: int, threads: int, limit_s: float) -> dict[str, Any]:
    """Decode the same pictures from memory into the same batches: the floor of `read`."""
    dataset = RldsDataset.open(path)
    keys = dataset.features.image_keys[:cameras]
    pictures = []
    for index, step in itertools.islice(dataset.step_index("train").shuffled(0), FLOOR_STEPS):
        episode = dataset.episode("train", index)
        pictures.append([episode.images[key][step] for key in keys])
    return _timed(functools.partial(decode_batch, keys), pictures, keys, threads, limit_s)


def _timed(
    work: Callable[[Sequence[Any], dict[str, Any]], int],
    places: Sequence[Any],
    keys: Sequence[str],
    threads: int,
    limit_s: float,
) -> dict[str, Any]:
    """Run `work` on batch after batch in `threads` threads; return rate and processor time."""
    shares = [places[offset::threads] for offset in range(threads)]
    work(places[:BATCH], _buffers(keys))
    started, busy = time.perf_counter(), time.process_time()
    with ThreadPoolExecutor(threads) as pool:
        run_share = functools.partial(_run_share, work, keys, started + limit_s)
        count = sum(pool.map(run_share, shares))
    elapsed, busy = time.perf_counter() - started, time.process_time() - busy
    return {"steps_per_s": count / elapsed, "cpu_s": busy / count}


def _run_share(
    work: Callable[[Sequence[Any], dict[str, Any]], int],
    keys: Sequence[str],
    deadline: float,
    places: Sequence[Any],
) -> int:
    """Take batch after batch, around and around, until the deadline; return the steps."""
    buffers, count = _buffers(keys), 0
    while time.perf_counter() < deadline:
        start = count % len(places)
        count += work(places[start : start + BATCH], buffers)
    return count


def decode_batch(
    keys: Sequence[str], pictures: Sequence[Sequence[bytes]], buffers: dict[str, Any]
) -> int:
    """Decode the pictures of a batch, which are in memory already."""
    for row, frames in enumerate(pictures):
        for key, frame in zip(keys, frames, strict=True):
            decode_rgb(frame, buffers[key][row])
    return len(pictures)


def _buffers(keys: Sequence[str]) -> dict[str, Any]:
    return {key: np.zeros((BATCH, *SIZE, 3), dtype=np.uint8) for key in keys}


def read_batch(
    dataset: RldsDataset,
    keys: Sequence[str],
    places: Sequence[tuple[int, int]],
    buffers: dict[str, Any],
) -> int:
    """Fill the picture buffers and stack actions and states of the given (episode, step)."""
    actions, states = [], []
    for row, (index, step) in enumerate(places):
        episode = dataset.episode("train", index)
        actions.append(episode.action[step])
        states.append(episode.observations["state"][step])
        for key in keys:
            episode.image_into(key, step, buffers[key][row])
    return len(np.stack(actions)) if len(np.stack(states)) else 0


def open_time(path: Path) -> dict[str, Any]:
    """Time opening the dataset, indexing its steps, and parsing an episode's head."""
    started = time.perf_counter()
    dataset = RldsDataset.open(path, cached_episodes=0)
    steps = len(dataset.step_index("train"))
    opened = time.perf_counter() - started
    count = dataset.splits["train"]
    rounds = []
    for _ in range(20):
        started = time.perf_counter()
        for index in range(count):
            dataset.episode("train", index)
        rounds.append((time.perf_counter() - started) / count)
    return {"open_s": opened, "head_s": float(np.median(rounds)), "steps": steps}


def main() -> None:
    """Run the work named on the command line and print its result as JSON."""
    a = parse(Work, sys.argv[1:], "python -m benchmarks.dataset_work", __doc__ or "")
    result = {
        "make": lambda: make(a.folder, a.episodes, a.steps),
        "write": lambda: write(a.folder, a.target),
        "floor": lambda: floor(a.folder, a.target),
        "read": lambda: read(a.folder, a.cameras, a.threads, a.seconds),
        "decode": lambda: decode(a.folder, a.cameras, a.threads, a.seconds),
        "open": lambda: open_time(a.folder),
    }[a.work]()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**result, "peak_mib": peak}))


if __name__ == "__main__":
    main()
