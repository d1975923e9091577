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
from typing import TYPE_CHECKING

from evla_ros.errors import EvlaError

if TYPE_CHECKING:
    from evla_ros.training.config import TrainConfig


def ranks_rates(config: TrainConfig, folder: Path, steps: int, most: int) -> dict[int, float]:
    """Return samples/s of `steps` optimiser steps by number of ranks: 1, 2, 4 ... up to `most`."""
    counts = [1]
    while counts[-1] * 2 <= most:
        counts.append(counts[-1] * 2)
    return {count: _measure(config, folder / f"ranks{count}", steps, count) for count in counts}


def _measure(config: TrainConfig, folder: Path, steps: int, ranks: int) -> float:
    folder.mkdir()
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
    return float(json.loads(answer.read_text()))


def main(words: list[str]) -> None:
    """Take `settings.json steps answer.json`: train, and let rank 0 write samples/s."""
    from evla_ros.training import distributed
    from evla_ros.training.config import load_config
    from evla_ros.training.loader import batches
    from evla_ros.training.train import Run

    config, steps = load_config(words[0]), int(words[1])
    world = distributed.start()
    run = Run(config, world, resume=False)
    stream = batches(run.train_stream, run.share, 0, 0)
    run.step(0, stream)
    world.barrier()
    started = time.perf_counter()
    for step in range(steps):
        run.step(step, stream)
    world.barrier()
    seconds = time.perf_counter() - started
    if world.is_main:
        Path(words[2]).write_text(json.dumps(steps * config.optimizer.batch / seconds))
    distributed.stop(world)


if __name__ == "__main__":
    main(sys.argv[1:])
