# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the jobs of a recipe run: one function per kind of work, with all settings in one argument.

Each does what the command of the same name does, and prints the same.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from evla_ros.data.convert.conversion import Conversion
from evla_ros.recipes.simulated_data.settings import Collection
from evla_ros.recipes.vision_config import VisionConfig
from evla_ros.sim.benchmarks.metaworld.settings import MetaWorldEvaluation
from evla_ros.sim.evaluation.settings import Evaluation
from evla_ros.sim.recording import Recording
from evla_ros.training.config import TrainConfig
from evla_ros.training.evaluation.offline_settings import OfflineEvaluation


@dataclass(frozen=True)
class Training:
    """The settings of a training, and whether it goes on where an earlier start stopped."""

    config: TrainConfig
    resume: bool = False


@dataclass(frozen=True)
class NetworkScoring:
    """What a checkpoint is asked on held-out frames, and in simulation where it is played there."""

    offline: OfflineEvaluation
    simulation: Evaluation | None = None


def record(recording: Recording) -> None:
    """Record demonstrations in lock-step."""
    from evla_ros.sim.recording import record_lockstep

    print(record_lockstep(recording))


def convert(conversion: Conversion) -> None:
    """Convert bags; which were refused, and why, is in the report."""
    from evla_ros.data.convert.progress import Progress

    print(conversion.run(Progress()).text())


def collect(collection: Collection) -> str:
    """Collect demonstrations with counterfactual labels; returns the folder of the version."""
    from evla_ros.recipes.simulated_data.dataset import collect_dataset

    folder = collection.dataset
    made = collect_dataset(folder.parent, folder.name, collection.job, collection.workers)
    print(made, flush=True)
    return str(made)


def pretrain_encoders(config: VisionConfig) -> str:
    """Pretrain the small encoders; each of several ranks calls it. Returns the weights' path."""
    from evla_ros.recipes.vision_stage import pretrain_vision

    path = pretrain_vision(config)
    if os.environ.get("RANK", "0") == "0":
        print(path, flush=True)
    return str(path)


def train(training: Training) -> None:
    """Train; each of several ranks calls it."""
    from evla_ros.training.train import train as run

    run(training.config, resume=training.resume)


def score(asked: NetworkScoring) -> dict[str, Any]:
    """Return the reports of a checkpoint: on held-out frames, and in closed loop if asked."""
    from evla_ros.training.evaluation.offline_eval import evaluate_offline

    reports = {"offline": evaluate_offline(asked.offline)}
    if asked.simulation is not None:
        from evla_ros.sim.evaluation.evaluate import evaluate

        reports["simulation"] = evaluate(asked.simulation).report
    return reports


def score_on_metaworld(asked: MetaWorldEvaluation) -> dict[str, Any]:
    """Return the report of a policy on Meta-World; the summary is printed."""
    from evla_ros.sim.benchmarks.metaworld.evaluate import evaluate
    from evla_ros.sim.benchmarks.metaworld.table import summary_table
    from evla_ros.training.errors import TrainingError

    evaluated = evaluate(asked)
    if evaluated.interrupted:
        raise TrainingError("the scoring was interrupted")
    print(summary_table(evaluated.records))
    return evaluated.report
