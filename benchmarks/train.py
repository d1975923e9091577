# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks train`: loader and step against their floors, one and two ranks, memory."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from evla_ros.bench.memory import mark_peak, resident_gib, trim
from evla_ros.bench.report import Printed, Row
from evla_ros.options import Option

if TYPE_CHECKING:
    from evla_ros.training.train import Run


EXAMPLES = """\
example: python -m benchmarks train --config config/training/nano_tabletop.yaml \\
    datasets.0.path=outputs/data/tabletop_nano --json
floors: pictures decoded (or cached features read) and nothing else; the step's counted products at
the rate of this machine's own products of such shapes; so many ranks as fast as one alone"""


@dataclass(frozen=True, kw_only=True)
class Options(Printed):
    """A training, and how long it is measured."""

    config: Annotated[Path, Option("a training configuration", "YAML")]
    changes: Annotated[
        tuple[str, ...],
        Option("settings to change", "key.sub=value", positional=True, unset="none"),
    ] = ()
    seconds: Annotated[float, Option("per figure", "S", above=0)] = 10.0
    ranks: Annotated[int, Option("most processes; 1: none more", "N", least=1)] = 2


def rows(options: Options) -> Iterable[Row]:
    """Measure samples/s of loader and step in this process, then of steps in several processes."""
    from evla_ros.training import distributed
    from evla_ros.training.action_phase import ActionPhase
    from evla_ros.training.config_file import load_config
    from evla_ros.training.evaluation.step_rate import ranks_rates
    from evla_ros.training.train import Run

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        changes = [*options.changes, f"output={folder}/run", "compile=false"]
        config = load_config(options.config, changes)
        run = Run(config, distributed.start(), ActionPhase(), resume=False)
        context = _context(run)
        yield from _loader(run, options.seconds, context)
        step = yield from _step(run, options.seconds, context)
        if options.ranks > 1:
            steps = max(2, round(step * options.seconds / config.optimizer.batch))
            rates = ranks_rates(config, folder, steps, options.ranks)
            for ranks, rate in rates.items():
                floor = ranks * rates[1] if ranks > 1 else None
                where = {**context, "threads": 1, "ranks": ranks}
                yield Row("train.ranks.samples_per_s", rate, "1/s", floor=floor, context=where)


def _context(run: Run) -> dict[str, Any]:
    import torch

    action, settings = run.model.config.action, run.config
    return {
        "preset": run.model.config.name,
        "actions": f"{action.chunk}x{action.dim}",
        "decode": action.decode,
        "batch": settings.optimizer.batch,
        "instructions": settings.data.instructions,
        "features": "cached" if settings.cache_features else "live",
        "precision": run.precision,
        "threads": torch.get_num_threads(),
        "device": str(run.group.device),
    }


def _loader(run: Run, seconds: float, context: dict[str, Any]) -> Iterable[Row]:
    from evla_ros.training.samples.loader import batches

    size = run.config.optimizer.batch
    stream = batches(run.train_stream, run.share, 0, 0)
    floor = _rate(lambda: _bare(run, size), size, seconds)
    rate = _rate(lambda: next(stream), size, seconds)
    yield Row("train.loader.samples_per_s", rate, "1/s", floor=floor, context=context)


def _step(run: Run, seconds: float, context: dict[str, Any]) -> Any:
    from evla_ros.training.samples.loader import batches

    size = run.config.optimizer.batch
    floor = matmul_rate(run, seconds) / _step_flops(run, size)
    stream = batches(run.train_stream, run.share, 0, 0)
    trim()
    mark_peak()
    rate = _rate(lambda: run.step(0, stream), size, seconds)
    yield Row("train.step.samples_per_s", rate, "1/s", floor=floor, context=context)
    yield Row("train.memory.peak", resident_gib(peak=True), "GiB", context=context)
    return rate


def matmul_rate(run: Run, seconds: float) -> float:
    """Return measured FLOP/s of products as the decoder's feed-forward layers have them."""
    import torch

    model = run.model.config.language_model
    rows = 4096
    kind = torch.float32 if run.precision == "fp32" else torch.bfloat16
    left = torch.randn(rows, model.hidden_size, device=run.group.device).to(kind)
    right = torch.randn(model.hidden_size, model.mlp_size, device=run.group.device).to(kind)
    flops = 2.0 * rows * model.hidden_size * model.mlp_size

    def multiply() -> None:
        left @ right
        if run.group.device.type == "cuda":
            torch.cuda.synchronize()

    return flops * _rate(multiply, 1, min(seconds, 1.0))


def _step_flops(run: Run, size: int) -> float:
    """FLOPs of one sample's forward and backward, counted by torch's counter on a real step."""
    from torch.utils.flop_counter import FlopCounterMode

    from evla_ros.training.samples.loader import batches

    counter = FlopCounterMode(display=False)
    with counter:
        run.step(0, batches(run.train_stream, run.share, 0, 0))
    return float(counter.get_total_flops()) / size


def _bare(run: Run, count: int) -> None:
    """Read what `count` samples cannot do without: their features, or their decoded pictures."""
    source = run.parts.train[0]
    numbers = [number % len(source) for number in range(count)]
    if run.train_stream.features is not None:
        run.train_stream.features.rows([(0, number) for number in numbers])
        return
    for number in numbers:
        index, step = source.locate(number)
        episode = source.episode(index)
        for camera in run.model.config.image.cameras:
            episode.episode.image(episode.cameras[camera], step)


def _rate(work: Callable[[], Any], items: int, seconds: float) -> float:
    work()
    started, done = time.perf_counter(), 0
    while time.perf_counter() - started < seconds:
        work()
        done += items
    return done / (time.perf_counter() - started)
