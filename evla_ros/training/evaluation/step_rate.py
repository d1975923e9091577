# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Measure training steps in 1, 2, 4, ... processes of one thread each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from evla_ros.errors import EvlaError
from evla_ros.reading.text_files import read_json
from evla_ros.training.ranks import command

if TYPE_CHECKING:
    from evla_ros.training.config import TrainConfig


def ranks_rates(config: TrainConfig, folder: Path, steps: int, most: int) -> dict[int, float]:
    """Measure how fast several processes train together.

    Args:
        config: The training.
        folder: A folder for the runs.
        steps: Optimiser steps to measure.
        most: The largest number of processes.

    Returns:
        Number of processes (1, 2, 4, ...) -> samples a second of all of them.
    """
    counts = [1]
    while counts[-1] * 2 <= most:
        counts.append(counts[-1] * 2)
    rates = {}
    for count in counts:
        rates[count] = measure_steps(config, folder / f"ranks{count}", steps, count).samples_per_s
    return rates


class StepCost(NamedTuple):
    """What training steps cost.

    Attributes:
        samples_per_s: Samples a second of all ranks together.
        cpu_s_per_sample: Processor time a sample [s], over all ranks.
    """

    samples_per_s: float
    cpu_s_per_sample: float


def measure_steps(config: TrainConfig, folder: Path, steps: int, ranks: int = 1) -> StepCost:
    """Measure some training steps.

    Args:
        config: The training.
        folder: A new folder for the run.
        steps: Optimiser steps to measure.
        ranks: Processes that train together.

    Raises:
        EvlaError: The processes did not train.
    """
    folder.mkdir(parents=True)
    settings, answer = folder / "settings.json", folder / "rate.json"
    data = {**config.model_dump(mode="json"), "output": str(folder / "run")}
    settings.write_text(json.dumps(data))
    given = [str(settings), str(steps), str(answer)]
    done = subprocess.run(
        command(ranks, "evla_ros.training.evaluation.step_rate", given),
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    if done.returncode or not answer.is_file():
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise EvlaError(f"{ranks} ranks did not train ({last}); is `batch` a multiple of it?")
    return StepCost(*read_json(answer))


def main(argv: list[str]) -> None:
    """Train, and let rank 0 write the cost.

    Args:
        argv: The JSON file of the settings, the number of steps, and the file for the answer.
    """
    from evla_ros.training import distributed
    from evla_ros.training.action_phase import ActionPhase
    from evla_ros.training.config_file import load_config
    from evla_ros.training.samples.loader import batches
    from evla_ros.training.train import Run

    config, steps = load_config(argv[0]), int(argv[1])
    group = distributed.start()
    run = Run(config, group, ActionPhase(), resume=False)
    stream = batches(run.train_stream, run.share, 0, 0)
    run.step(0, stream)
    group.barrier()
    started, used = time.perf_counter(), time.process_time()
    for step in range(steps):
        run.step(step, stream)
    group.barrier()
    seconds, used = time.perf_counter() - started, time.process_time() - used
    if group.is_main:
        samples = steps * config.optimizer.batch
        cost = StepCost(samples / seconds, used * group.ranks / samples)
        Path(argv[2]).write_text(json.dumps(cost))
    distributed.stop(group)


if __name__ == "__main__":
    main(sys.argv[1:])
