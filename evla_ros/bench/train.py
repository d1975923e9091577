# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla bench train`: the loader against bare decoding, the step against its matrix products."""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from evla_ros.bench.report import Row

if TYPE_CHECKING:
    from evla_ros.training.train import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--config", required=True, help="a training configuration")
    parser.add_argument("--seconds", type=float, default=10.0, help="per figure (default: 10)")
    parser.epilog = "example: evla bench train --config config/training/nano_tabletop.yaml --json"


def rows(arguments: argparse.Namespace) -> Iterable[Row]:
    """Measure samples/s of the loader and of the whole step in this process, with their floors."""
    import tempfile

    import torch

    from evla_ros.training import distributed
    from evla_ros.training.config import load_config
    from evla_ros.training.loader import batches
    from evla_ros.training.train import Run

    with tempfile.TemporaryDirectory() as folder:
        config = load_config(arguments.config, [f"output={folder}/run"])
        run = Run(config, distributed.start(), resume=False)
        context = {
            "preset": run.model.config.name,
            "actions": f"{run.model.config.action.chunk}x{run.model.config.action.dim}",
            "batch": config.optimizer.batch,
            "instructions": config.data.instructions,
            "threads": torch.get_num_threads(),
        }
        stream = batches(run.train_stream, run.share, 0, 0)
        size, seconds = config.optimizer.batch, arguments.seconds
        decoding = (
            None if config.cache_features else _rate(lambda: _decode(run, size), size, seconds)
        )
        loader = _rate(lambda: next(stream), size, seconds)
        yield Row("train.loader.samples_per_s", loader, "1/s", floor=decoding, context=context)
        step = _rate(lambda: run.step(0, stream), size, seconds)
        floor = matmul_rate() / _step_flops(run, size)
        yield Row("train.step.samples_per_s", step, "1/s", floor=floor, context=context)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        yield Row("train.memory.peak", peak, "GiB", context=context)


def matmul_rate() -> float:
    """Return measured fp32 FLOP/s of a product of the shapes that small models have."""
    import torch

    left, right = torch.randn(4096, 192), torch.randn(192, 512)
    return 2.0 * 4096 * 192 * 512 * _rate(lambda: left @ right, 1, 1.0)


def _step_flops(run: Run, size: int) -> float:
    """FLOPs of one sample's forward and backward, counted by torch's counter on a real step."""
    from torch.utils.flop_counter import FlopCounterMode

    from evla_ros.training.loader import batches

    counter = FlopCounterMode(display=False)
    with counter:
        run.step(0, batches(run.train_stream, run.share, 0, 0))
    return float(counter.get_total_flops()) / size


def _decode(run: Run, count: int) -> None:
    source = run.parts.train[0]
    for number in range(count):
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
