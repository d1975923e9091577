# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks mixture`: the loader over a mixture against its floor, and its memory."""

from __future__ import annotations

import tempfile
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from benchmarks.mixture_data import EPISODES, write_mixture
from evla_ros.bench.memory import resident_gib
from evla_ros.bench.report import Printed, Row
from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.training.samples.loader import SampleStream

EXAMPLES = """\
example: python -m benchmarks mixture --seconds 5 --json
floor: pictures decoded and brought to the size of the network by as many processes, and nothing
else; goal: 80 % of it"""
_GOAL = 0.8


@dataclass(frozen=True, kw_only=True)
class Options(Printed):
    """How long is measured, and with what."""

    seconds: Annotated[float, Option("per figure", "S", above=0)] = 8.0
    workers: Annotated[tuple[int, ...], Option("processes that decode", "N", least=0)] = (0, 1, 2)
    batch: Annotated[int, Option("samples of a batch", "N", least=1)] = 32
    side: Annotated[int, Option("side of the network's pictures", "PIXELS", least=12)] = 224
    repeats: Annotated[int, Option("the best of so many", "N", least=1)] = 3


def rows(options: Options) -> Iterable[Row]:
    """Measure samples/s with each number of workers, then the memory of the order."""
    with tempfile.TemporaryDirectory(prefix="evla_bench_") as name:
        stream = _stream(Path(name), options)
        context: dict[str, Any] = {
            "datasets": len(stream.sources),
            "episodes": EPISODES,
            "samples": sum(len(source) for source in stream.sources),
            "pictures": f"{options.side} px",
            "batch": options.batch,
        }
        for workers in options.workers:
            pairs = [_pair(stream, options, workers) for _ in range(options.repeats)]
            rate, floor = (max(values) for values in zip(*pairs, strict=True))
            told = {**context, "workers": workers}
            goal = _GOAL * floor if workers else None
            yield Row("mixture.loader.samples_per_s", rate, "1/s", floor, goal, told)
    yield from _memory()


def _pair(stream: SampleStream, options: Options, workers: int) -> tuple[float, float]:
    """Return samples/s of the loader, and of its floor right after it."""
    return _loader_rate(stream, options, workers), floor_rate(stream, options.seconds, workers)


def _loader_rate(stream: SampleStream, options: Options, workers: int) -> float:
    from evla_ros.training.samples.loader import Share, batches

    made = batches(stream, Share(0, 1, options.batch, 1), 0, workers)
    for _ in range(10 * workers + 1):  # what workers had prepared when the clock starts
        next(made)
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < options.seconds:
        next(made)
        done += options.batch
    rate = done / (time.perf_counter() - started)
    made.close()  # type: ignore[attr-defined]
    return rate


def floor_rate(stream: SampleStream, seconds: float, workers: int) -> float:
    """Return samples/s of so many processes that only decode and resize pictures of the mixture."""
    if workers == 0:
        return _bare(stream, seconds, 0)
    context = get_context("spawn")
    with context.Pool(workers) as pool:
        pool.starmap(_bare, [(stream, 0.2, which) for which in range(workers)], 1)
        return sum(pool.starmap(_bare, [(stream, seconds, w) for w in range(workers)], 1))


def _bare(stream: SampleStream, seconds: float, which: int) -> float:
    import torch

    if which or torch.get_num_threads() > 1:
        torch.set_num_threads(1)
    process = stream.collate.processor.image_processor
    pictures = list(_pictures(stream))
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        source, index, key, step = pictures[(done + 17 * which) % len(pictures)]
        image = source.episode(index).episode.image(key, step)
        process({"primary": image})
        done += 1
    return done / (time.perf_counter() - started)


def _pictures(stream: SampleStream) -> Iterator[tuple[Any, int, str, int]]:
    """Yield the first pictures of the stream, which are of its datasets by their shares."""
    for number in range(512):
        which, sample = stream.place(number)
        source = stream.sources[which]
        index, step = source.locate(sample)
        yield source, index, source.episode(index).cameras["primary"], step


def _stream(folder: Path, options: Options) -> SampleStream:
    import yaml

    from evla_ros.shared_files import models_folder
    from evla_ros.training.config_file import parse_config
    from evla_ros.training.parts import build
    from evla_ros.training.samples.streams import stream

    write_mixture(folder / "data")
    preset = yaml.safe_load((models_folder() / "evla-nano.yaml").read_text())
    preset["image"]["size"] = options.side - options.side % 12
    (folder / "preset.yaml").write_text(yaml.safe_dump(preset))
    config = parse_config(
        {
            "output": str(folder / "run"),
            "datasets": [{"mixture": "rtx", "root": str(folder / "data"), "allow_missing": True}],
            "model": {
                "preset": str(folder / "preset.yaml"),
                "cameras": ["primary"],
                "proprio": False,
            },
        },
        "benchmark",
    )
    parts = build(config)
    return stream(parts, config, parts.train, None, train=True)


def _memory() -> Iterator[Row]:
    """Yield what the order of an epoch takes, for a thousand and for a thousand million samples."""
    from evla_ros.data.interleave import Interleave
    from evla_ros.data.shuffle import Shuffled

    for size in (1_000, 1_000_000, 1_000_000_000):
        tracemalloc.start()
        order, turns = Shuffled(size, [0, 1]), Interleave([size, 2.0 * size], 0)
        for number in range(0, size, max(1, size // 5000)):
            order[number % size]
            turns[number]
        used = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        told = {"samples": size}
        yield Row("mixture.order.memory", used / 1024, "KiB", None, None, told)
    yield Row("mixture.memory", resident_gib(), "GiB", None, None, {})
