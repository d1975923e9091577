# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Training steps in 1, 2, ... processes of one thread each, over gloo (or NCCL on GPUs)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from evla_ros.errors import EvlaError

if TYPE_CHECKING:
    from evla_ros.training.config import TrainConfig


def ranks_rates(config: TrainConfig, folder: Path, steps: int, most: int) -> dict[int, float]:
    """Return samples/s of `steps` optimiser steps by number of ranks: 1, 2, 4 ... up to `most`."""
    counts = [1]
    while counts[-1] * 2 <= most:
        counts.append(counts[-1] * 2)
    rates = {}
    for count in counts:
        rates[count] = measure_steps(config, folder / f"ranks{count}", steps, count).samples_per_s
    return rates


class StepCost(NamedTuple):
    """Of all ranks together by the clock, and of one rank by its processor time."""

    samples_per_s: float
    cpu_s_per_sample: float


def measure_steps(config: TrainConfig, folder: Path, steps: int, ranks: int = 1) -> StepCost:
    """Train `steps` steps in so many processes; raises EvlaError when they cannot."""
    folder.mkdir(parents=True)
    settings, answer = folder / "settings.json", folder / "rate.json"
    data = {**config.model_dump(mode="json"), "output": str(folder / "run")}
    settings.write_text(json.dumps(data))
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={ranks}"]
    words = ["-m", "evla_ros.bench.train_ranks", str(settings), str(steps), str(answer)]
    done = subprocess.run(
        [sys.executable, *launch, *words],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode or not answer.is_file():
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise EvlaError(f"{ranks} ranks did not train ({last}); is `batch` a multiple of it?")
    return StepCost(*json.loads(answer.read_text()))


def main(words: list[str]) -> None:
    """Take `settings.json steps answer.json`: train, and let rank 0 write what a step costs."""
    from evla_ros.training import distributed
    from evla_ros.training.config import load_config
    from evla_ros.training.samples.loader import batches
    from evla_ros.training.train import Run

    config, steps = load_config(words[0]), int(words[1])
    world = distributed.start()
    run = Run(config, world, resume=False)
    stream = batches(run.train_stream, run.share, 0, 0)
    run.step(0, stream)
    world.barrier()
    started, used = time.perf_counter(), time.process_time()
    for step in range(steps):
        run.step(step, stream)
    world.barrier()
    seconds, used = time.perf_counter() - started, time.process_time() - used
    if world.is_main:
        samples = steps * config.optimizer.batch
        cost = StepCost(samples / seconds, used * world.ranks / samples)
        Path(words[2]).write_text(json.dumps(cost))
    distributed.stop(world)


if __name__ == "__main__":
    main(sys.argv[1:])
