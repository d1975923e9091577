# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Dataset writer and reader, the reader beside tf.data on the same files in the same run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any, Literal

from benchmarks.dataset_work_options import Work
from evla_ros.bench.report import Row
from evla_ros.cli.parser import to_argv
from evla_ros.errors import EvlaError
from evla_ros.options import Option

TFDS_PYTHON = Path(".venv-tfds/bin/python")
TFDS_SCRIPT = Path(__file__).with_name("tfdata_reader.py")
SHUFFLE = 1000
READER_ROWS = {  # row -> key of the work's answer, unit, scale
    "steps_per_s": ("steps_per_s", "1/s", 1.0),
    "cpu_per_step": ("cpu_s", "us", 1e6),
    "peak_memory": ("peak_mib", "MiB", 1.0),
}


@dataclass(frozen=True, kw_only=True)
class DatasetOptions:
    """What is written, and how it is read."""

    episodes: Annotated[int, Option("episodes written", "N", least=2)] = 50
    steps: Annotated[int, Option("steps an episode", "N", least=1)] = 100
    seconds: Annotated[float, Option("per reading", "S", above=0)] = 4.0
    cameras: Annotated[tuple[Literal[1, 2], ...], Option("reader: of so many cameras")] = (1, 2)
    threads: Annotated[
        tuple[int, ...], Option("reader: threads", "T", least=1, unset="1 and all cores")
    ] = ()
    tfds_python: Annotated[
        Path | None, Option("interpreter with TensorFlow", "PYTHON", unset=".venv-tfds")
    ] = None


def rows(options: DatasetOptions) -> Iterator[Row]:
    """Yield the rows; two 224x224 cameras, JPEG encoded beforehand."""
    python = _tfds_python(options)
    with tempfile.TemporaryDirectory(prefix="evla_bench_") as name:
        folder = Path(name)
        episodes = folder / "episodes"
        _work(Work("make", episodes, episodes=options.episodes, steps=options.steps))
        written = _work(Work("write", episodes, folder / "sets"))
        path = Path(written["path"])
        yield from _writer_rows(written, path, folder)
        yield from _reader_rows(path, python, options)


def _writer_rows(written: dict[str, Any], path: Path, folder: Path) -> Iterator[Row]:
    least = _work(Work("floor", path, folder / "floor.bin"))
    episodes, seconds = written["episodes"], written["seconds"]
    size = f"{written['bytes'] / 1e6:.0f} MB"
    steps = written["steps"] // episodes
    context = {"episodes": episodes, "steps": steps, "cameras": "2x224x224", "size": size}
    best = episodes / least["seconds"]
    yield Row("data.writer.episodes_per_s", episodes / seconds, "1/s", best, 82.0, context)
    rate = written["bytes"] / 1e6
    yield Row("data.writer.rate", rate / seconds, "MB/s", rate / least["seconds"], None, context)
    busy = written["cpu_s"] / episodes * 1e3
    yield Row("data.writer.cpu_per_episode", busy, "ms", None, 1e3 / 82.0, context)
    yield Row("data.writer.peak_memory", written["peak_mib"], "MiB", None, 200.0, context)


def _reader_rows(path: Path, python: Path | None, options: DatasetOptions) -> Iterator[Row]:
    opened = _work(Work("open", path))
    context: dict[str, Any] = {"steps": opened["steps"]}
    yield Row("data.reader.open", opened["open_s"] * 1e3, "ms", None, None, context)
    yield Row("data.reader.episode_head", opened["head_s"] * 1e6, "us", None, None, context)
    cores = len(os.sched_getaffinity(0))
    for cameras in options.cameras:
        for threads in options.threads or sorted({1, cores}):
            yield from _beside_tfdata(path, python, cameras, threads, options.seconds)


def _beside_tfdata(
    path: Path, python: Path | None, cameras: int, threads: int, seconds: float
) -> Iterator[Row]:
    """Yield tf.data's rows, then ours: tf.data's are the goal, decoding alone is the floor."""
    context: dict[str, Any] = {"cameras": cameras, "threads": threads}
    theirs: dict[str, Any] = {}
    if python is not None:
        theirs = _tfdata(python, path, cameras, seconds, threads)
        told = {**context, "shuffle": SHUFFLE, "tf": theirs["tf"]}
        for title, (key, unit, scale) in READER_ROWS.items():
            yield Row(f"data.tfdata.{title}", theirs[key] * scale, unit, None, None, told)
    reading = Work("read", path, cameras=cameras, threads=threads, seconds=seconds)
    ours = _work(reading)
    least = {**_work(replace(reading, work="decode")), "peak_mib": None}
    for title, (key, unit, scale) in READER_ROWS.items():
        floor = None if least[key] is None else least[key] * scale
        goal = theirs[key] * scale if theirs else None
        told = {**context, "shuffle": "all"}
        yield Row(f"data.reader.{title}", ours[key] * scale, unit, floor, goal, told)


def _tfds_python(options: DatasetOptions) -> Path | None:
    given = options.tfds_python or os.environ.get("EVLA_TFDS_PYTHON")
    python = Path(given) if given else TFDS_PYTHON
    if python.exists():
        return python
    if given:
        raise EvlaError(f"there is no interpreter {python}; `make tfds-env` builds one")
    print("no .venv-tfds: tf.data is left out (`make tfds-env` builds it)", file=sys.stderr)
    return None


def _tfdata(python: Path, path: Path, cameras: int, seconds: float, threads: int) -> dict[str, Any]:
    numbers = map(str, (cameras, SHUFFLE, seconds, threads))
    argv = [str(TFDS_SCRIPT), str(path), *numbers]
    quiet = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    return _json([str(python), *argv], quiet)


def _work(work: Work) -> dict[str, Any]:
    return _json([sys.executable, "-m", "benchmarks.dataset_work", *to_argv(work)], {})


def _json(argv: list[str], environment: dict[str, str]) -> dict[str, Any]:
    ran = subprocess.run(
        argv, capture_output=True, text=True, env={**os.environ, **environment}, check=False
    )
    if ran.returncode:
        last = (ran.stderr.strip().splitlines() or ["no message"])[-1]
        raise EvlaError(f"{' '.join(argv[1:4])} failed: {last}")
    return dict(json.loads(ran.stdout.strip().splitlines()[-1]))
