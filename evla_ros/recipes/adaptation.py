# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A trained network moved to another robot: success against demonstrations, and from scratch."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evla_ros.data.bags.metadata import custom_data, read_metadata
from evla_ros.machine import has_compiler
from evla_ros.recipes.adaptation_settings import Adaptation, check
from evla_ros.recipes.datasets import (
    IMAGE_SIZE,
    change,
    collecting,
    converting,
    evaluating,
    is_dataset,
)
from evla_ros.recipes.jobs import Job
from evla_ros.recipes.nano import WORTH_COMPILING
from evla_ros.recipes.simulated_data.recordings import (
    FIRST_SEED,
    Recordings,
    bag_folders,
    choose_via,
)
from evla_ros.recipes.simulated_data.settings import CollectJob, CollectSettings
from evla_ros.recipes.stages import Stage, StageTimes, run_stages
from evla_ros.recipes.trials import Scoring, Trial, run_trials
from evla_ros.sim.recording import Recording
from evla_ros.training.config import TrainConfig
from evla_ros.training.config_file import load_config
from evla_ros.training.errors import TrainingError

SEEDS_APART = 1000
# Apart from those of evaluation, of bags and of `evla train nano`.
COLLECTED_SEED, CORRECTED_SEED = 20_000_000, 22_000_000
CORRECTED_TICKS = 80  # a network that is stuck shows nothing new after that
HELD_OUT_FRAMES = 100
REFINING = (change("optimizer.learning_rate", 7e-4), change("seed", 1))


def adapt(
    asked: Adaptation, again: str, through_graph: Callable[[Recording], None]
) -> list[dict[str, Any]]:
    """Collect, train, score, correct; returns a result per network.

    Args:
        asked: the networks and the demonstrations.
        again: the command line that goes on after a failure, for the error message.
        through_graph: records demonstrations over ROS topics and services.

    Raises:
        TrainingError: an option that cannot be, or a stage that failed.
    """
    check(asked)
    adaptation = replace(asked, demonstrations=tuple(sorted(asked.demonstrations)))
    recorder = through_graph if choose_via(asked.via) == "ros" else None
    stages, times = stages_of(adaptation, recorder), StageTimes(adaptation.folder)
    run_stages(stages, times, again)
    scoring = Scoring(
        adaptation.dataset(max(adaptation.demonstrations)),
        HELD_OUT_FRAMES,
        adaptation.world,
        adaptation.tasks,
        adaptation.episodes,
        workers=adaptation.processes,
    )
    placed = (adaptation.folder, scoring, adaptation.processes)
    results = run_trials(trials_of(adaptation), *placed)
    corrections, further = corrections_of(adaptation, results)
    run_stages(corrections, times, again)
    results += run_trials(further, *placed)
    stages += corrections
    print(times.table([stage.name for stage in stages]), file=sys.stderr)
    return results


def stages_of(
    adaptation: Adaptation, through_graph: Callable[[Recording], None] | None
) -> list[Stage]:
    """Return the stages that make the datasets, one for each number of demonstrations."""
    sizes = adaptation.demonstrations
    if adaptation.relabels:
        return [_demonstrating(adaptation, count) for count in sizes]
    plans = recordings_of(adaptation, through_graph)
    recording = [Stage(f"record {plan.task}", plan.jobs, plan.done) for plan in plans]
    return [*recording, *(_converting(adaptation, plans, count) for count in sizes)]


def recordings_of(
    adaptation: Adaptation, through_graph: Callable[[Recording], None] | None
) -> list[Recordings]:
    """Return the recordings of every task, with as many bags as the largest dataset needs."""
    most = max(adaptation.demonstrations)
    plan = Recordings(
        adaptation.folder,
        most,
        min(adaptation.processes, most),
        through_graph,
        adaptation.world,
        domain=adaptation.domain,
    )
    return [
        replace(
            plan, folder=adaptation.folder / "bags" / task, task=task,
            first_seed=FIRST_SEED + i * SEEDS_APART,
        )
        for i, task in enumerate(adaptation.tasks)
    ]  # fmt: skip


def trials_of(adaptation: Adaptation) -> list[Trial]:
    """Return a training per number of demonstrations, first from the checkpoint, then afresh."""
    trials = []
    for name, start, count in adaptation.networks:
        metadata = {"start": name, "demonstrations": count, "corrected": 0}
        config = _learning(adaptation, [adaptation.dataset(count)], start)
        trials.append(Trial(f"{name.replace(' ', '_')}-{count}", metadata, config))
    return trials


def corrections_of(
    adaptation: Adaptation, results: Sequence[dict[str, Any]]
) -> tuple[list[Stage], list[Trial]]:
    """Return the stages and trainings that correct each network of `results` (DAgger).

    Each network acts, the expert says what it would have done, and training goes on with that.
    """
    if not adaptation.corrected:
        return [], []
    stages, trials = [], []
    for result in results:
        name, checkpoint = result["name"], result["checkpoint"]
        data = [adaptation.dataset(result["demonstrations"]), adaptation.visited(name)]
        metadata = {key: result[key] for key in ("start", "demonstrations")}
        metadata |= {"corrected": adaptation.corrected, "cpu_s_before": result["train"]["cpu_s"]}
        steps = change("optimizer.steps", adaptation.corrected_steps)
        config = _learning(adaptation, data, checkpoint, steps, *REFINING)
        stages.append(_visiting(adaptation, name, checkpoint))
        trials.append(Trial(f"{name}-corrected", metadata, config))
    return stages, trials


def _learning(adaptation: Adaptation, data: Sequence[Path], start: str, *more: str) -> TrainConfig:
    """Return the settings of one training.

    Data without counterfactual labels does not say where things are, so what needs that is off.
    """
    changes = [
        change("output", str(adaptation.folder)),
        change("datasets", [{"path": str(path)} for path in data]),
        change("model.start", start),
        *evaluating(data),
    ]
    if start:  # the network is the checkpoint's then
        changes.append(change("model.preset", ""))
    if not adaptation.relabels:
        changes += [change("data.instructions", 1), change("loss.grounding", 0)]
    changes += [*adaptation.changes, *more]
    steps = load_config(adaptation.config, changes).optimizer.steps
    compiles = change("compile", has_compiler() and steps >= WORTH_COMPILING)
    return load_config(adaptation.config, [compiles, *changes])


def _demonstrating(adaptation: Adaptation, count: int) -> Stage:
    """Collect demonstrations; a smaller dataset holds the first ones of a larger dataset."""
    settings = CollectSettings(relabels=adaptation.relabels, every=1, own=True, one_style=True)
    job = _collect_job(adaptation, count, COLLECTED_SEED, settings)
    return _collecting(adaptation, f"collect {count}", adaptation.dataset(count), job)


def _visiting(adaptation: Adaptation, name: str, checkpoint: str) -> Stage:
    settings = CollectSettings(relabels=1, one_style=True, max_ticks=CORRECTED_TICKS)
    job = _collect_job(adaptation, adaptation.corrected, CORRECTED_SEED, settings)
    job = replace(job, checkpoint=checkpoint)
    return _collecting(adaptation, f"correct {name}", adaptation.visited(name), job)


def _collect_job(
    adaptation: Adaptation, per_task: int, seed: int, settings: CollectSettings
) -> CollectJob:
    tasks = adaptation.tasks
    episodes = per_task * len(tasks)
    return CollectJob(adaptation.world, episodes, seed, IMAGE_SIZE, settings, families=tasks)


def _collecting(adaptation: Adaptation, name: str, data: Path, job: CollectJob) -> Stage:
    jobs = [collecting(job, data, adaptation.processes)]
    return Stage(name, lambda: jobs, lambda: is_dataset(data))


def _converting(adaptation: Adaptation, plans: Sequence[Recordings], count: int) -> Stage:
    data = adaptation.dataset(count)

    def jobs() -> list[Job]:
        bags = [bag for plan in plans for bag in _successes(plan, count)]
        return [converting(bags, data, adaptation.processes)]

    return Stage(f"convert {count}", jobs, lambda: is_dataset(data))


def _successes(plan: Recordings, count: int) -> list[Path]:
    parts = bag_folders(plan.folder)
    bags = [bag for part in parts for bag in sorted(part.iterdir()) if _succeeded(bag)]
    if not bags:
        raise TrainingError(f"no demonstration of {plan.task!r} succeeded; see {plan.folder}")
    return bags[:count]


def _succeeded(bag: Path) -> bool:
    if not (bag / "metadata.yaml").is_file():
        return False
    return custom_data(read_metadata(bag)).get("outcome") == "success"
