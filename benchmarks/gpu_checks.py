# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The checks of `make gpu-check`, one function each."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from evla_ros.bench.model_rows import bench_config, build
from evla_ros.bench.model_work import example
from evla_ros.bench.report import Row
from evla_ros.bench.roofline import Timer
from evla_ros.embodiment import load_embodiment
from evla_ros.errors import EvlaError
from evla_ros.model.acceleration import CudaGraphStep
from evla_ros.model.decode import decode
from evla_ros.training import distributed
from evla_ros.training.action_phase import ActionPhase
from evla_ros.training.config_file import parse_config
from evla_ros.training.metrics import read_metrics
from evla_ros.training.run_folder import run_config
from evla_ros.training.samples.loader import batches
from evla_ros.training.train import Run, train

if TYPE_CHECKING:
    from benchmarks.gpu import Check, Options

GIB = float(1 << 30)
TESTS_S, TEXT_TOKENS = 240, 32
NANO_STEPS = 60
MUST_FALL = True  # the loss, within so many steps


def checks(options: Options) -> Iterator[tuple[str, Check]]:
    """Yield the checks in their order, by name."""
    yield "tests", tests
    for shape in options.actions:
        yield f"inference {shape}", partial(inference, options, shape)
    yield "one training step", partial(training_step, options)
    yield "a short training", partial(short_training, options)


def tests() -> Iterator[Row]:
    """Run the tests that need a GPU."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "gpu", "test"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TESTS_S)
    counts = {word: int(n) for n, word in re.findall(r"(\d+) (\w+)", done.stdout.splitlines()[-1])}
    for word in ("passed", "failed", "skipped"):
        yield Row(f"gpu.tests.{word}", counts.get(word, 0), "")
    if done.returncode:
        failed = [line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
        raise EvlaError(f"pytest -m gpu: exit code {done.returncode}; {'; '.join(failed)[:200]}")


@torch.inference_mode()
def inference(options: Options, shape: str) -> Iterator[Row]:
    """Time a decision in bf16, joint and token by token, eager and as a CUDA graph; and its memory.

    A replayed graph has to give what the eager step gives.
    """
    device, timer = options.device, Timer(200, options.seconds, options.device)
    config = bench_config(options.preset, shape, 1)
    _reset(device)
    model = build(config, "bf16", device)
    batch = example(config, TEXT_TOKENS, device)
    for mode in ("joint", "autoregressive"):
        if mode == "autoregressive" and "tokens" not in config.action.heads:
            continue
        output = "tokens" if "tokens" in config.action.heads else None
        step: Any = lambda b, m=mode, o=output: decode(model, b, m, o)  # noqa: E731
        context = {"preset": options.preset, "actions": shape, "dtype": "bf16", "mode": mode}
        times = sorted(timer(partial(step, batch)))
        yield _time("gpu.step.eager", times, context)
        if device.startswith("cuda"):
            graph = CudaGraphStep(step, batch)
            if not torch.equal(graph(batch), step(batch)):
                raise EvlaError(f"{shape} {mode}: a replayed CUDA graph gives other actions")
            yield _time("gpu.step.graph", sorted(timer(partial(graph, batch))), context)
    context = {"preset": options.preset, "actions": shape, "dtype": "bf16"}
    yield from _memory("gpu.step.memory", device, context)


def training_step(options: Options) -> Iterator[Row]:
    """Take two optimiser steps of the large network at batch 1, by the trainer itself."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _reset(options.device)
        settings = _settings(folder, options, options.preset, batch=1, steps=2)
        settings["activation_checkpointing"] = True
        config = parse_config(settings, "gpu-check")
        run = Run(config, distributed.start(), ActionPhase(), resume=False)
        stream = batches(run.train_stream, run.share, 0, 0)
        run.step(0, stream)
        timer = Timer(3, options.seconds, options.device)
        totals, norm = run.step(1, stream)
        metrics = totals.metrics(run.group, run.parts.action_names, run.accuracy)
        if not (torch.isfinite(norm) and metrics["loss"] > 0):
            raise EvlaError(f"the step gave loss {metrics['loss']} and gradient norm {float(norm)}")
        context = {"preset": options.preset, "batch": 1, "precision": run.precision}
        times = sorted(timer(lambda: run.step(1, stream)))
        yield _time("gpu.train.step", times, context)
        yield from _memory("gpu.train.memory", options.device, context)


def short_training(options: Options) -> Iterator[Row]:
    """Train the small network for some steps, with workers, checkpoints and a resume."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _reset(options.device)
        settings = _settings(folder, options, options.small, batch=16, steps=NANO_STEPS)
        half = {**settings["optimizer"], "steps": NANO_STEPS // 2}
        train(parse_config({**settings, "optimizer": half}, "gpu-check"))
        train(
            run_config(folder / "run", [f"optimizer.steps={NANO_STEPS}"], resume=True), resume=True
        )
        entries = [entry for entry in read_metrics(folder / "run") if "loss" in entry]
        first, last = entries[0]["loss"], entries[-1]["loss"]
        context = {"preset": options.small, "batch": 16, "steps": NANO_STEPS}
        yield Row("gpu.train.samples_per_s", entries[-1]["samples_per_s"], "1/s", context=context)
        yield Row("gpu.train.loss_last_over_first", last / first, "", goal=0.9, context=context)
        if MUST_FALL and last >= first:
            raise EvlaError(f"the loss went from {first:.3f} to {last:.3f} in {NANO_STEPS} steps")


def _dataset(folder: Path) -> Path:
    """Write a dataset of invented episodes."""
    sys.path.append("test/rigs")
    from synthetic_dataset import synthetic_episode, write_synthetic

    robot, size = load_embodiment("tabletop_arm"), (224, 224)
    episodes = (synthetic_episode(i, robot, steps=30, size=size) for i in range(8))
    path: Path = write_synthetic(folder / "sets", episodes, robot, size=size, name="invented").path
    return path


def _settings(
    folder: Path, options: Options, preset: str, *, batch: int, steps: int
) -> dict[str, Any]:
    """Return the settings of a training on invented episodes.

    A GPU decides for itself how it computes; a CPU would measure for longer than the list takes.
    """
    optimizer = {"batch": batch, "steps": steps, "warmup_steps": 2, "schedule": "constant"}
    model = {"preset": preset}
    if not options.device.startswith("cuda"):
        optimizer, model = {**optimizer, "precision": "fp32"}, {**model, "attention": "sdpa"}
    return {
        "output": str(folder / "run"),
        "datasets": [{"path": str(_dataset(folder)), "val_split": ""}],
        "model": model,
        "optimizer": optimizer,
        "log_every": 10,
        "save_every": 1000,
    }


def _time(name: str, times: list[float], context: dict[str, Any]) -> Row:
    """Return the median of sorted milliseconds, with the fastest as its floor."""
    return Row(name, times[len(times) // 2], "ms", floor=times[0], context=context)


def _reset(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)


def _memory(name: str, device: str, context: dict[str, Any]) -> Iterator[Row]:
    if device.startswith("cuda"):
        peak = torch.cuda.max_memory_allocated(device) / GIB
        yield Row(name, peak, "GiB", context=context)
