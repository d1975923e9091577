# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trains and scores the networks of an experiment; a killed experiment goes on where it was."""

from __future__ import annotations

import json
import resource
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evla_ros.interruption import sigterm_interrupts
from evla_ros.reading.text_files import read_json_object
from evla_ros.recipes import work
from evla_ros.recipes.gpus import visible_gpus
from evla_ros.recipes.jobs import ONE_THREAD, Job, answer_of, run_jobs
from evla_ros.sim.evaluation.settings import Evaluation
from evla_ros.training.config import TrainConfig
from evla_ros.training.errors import TrainingError
from evla_ros.training.evaluation.offline_settings import OfflineEvaluation
from evla_ros.training.metrics import read_metrics
from evla_ros.worker_process import ending

RESULT, COST = "result.json", "cost.json"


@dataclass(frozen=True)
class Scoring:
    """How trained networks are scored.

    Attributes:
        dataset: the dataset whose held-out frames they answer.
        frames: how many of these frames, at most.
        world: the simulated world in which they act; empty: none.
        tasks: what they do there.
        episodes: how many episodes per task.
        seed: seed of the first episode.
        workers: how many processes play.
        transform: how the dataset becomes ours, see `training.samples.standardize`.
        split: the split of the dataset that is held out.
        device: where the networks answer these frames.
    """

    dataset: Path
    frames: int = 200
    world: str = ""
    tasks: tuple[str, ...] = ("all",)
    episodes: int = 20
    seed: int = 0
    workers: int = 1
    transform: str = "auto"
    split: str = "val"
    device: str = "cpu"


@dataclass(frozen=True)
class Trial:
    """A network to train.

    Attributes:
        name: name of its folder.
        metadata: what a table groups the networks by; goes into the result.
        config: settings of the training; `output` is replaced.
    """

    name: str
    metadata: dict[str, Any]
    config: TrainConfig


def run_trials(
    trials: Sequence[Trial], folder: Path, scoring: Scoring, processes: int, parallel: int = 1
) -> list[dict[str, Any]]:
    """Train and score the networks that have no result yet.

    Args:
        trials: the networks.
        folder: the folder of the experiment; each network has a folder in it.
        scoring: how the networks are scored.
        processes: how many processes train a network together, each with a GPU where there are.
        parallel: how many networks are trained side by side.

    Returns:
        The result of each network, in order.

    Raises:
        TrainingError: a training or a scoring failed; the sentence says how to go on.
    """
    waiting = [trial for trial in trials if not (folder / trial.name / RESULT).is_file()]
    places = visible_gpus(processes, min(parallel, len(waiting)))
    for first in range(0, len(waiting), parallel):
        together = waiting[first : first + parallel]
        for trial in together:
            number = trials.index(trial) + 1
            print(f"[{number}/{len(trials)}] {trial.name}", file=sys.stderr, flush=True)
        with sigterm_interrupts():
            _train(together, folder, processes, places)
            for trial in together:
                content = _scored(trial, folder / trial.name, scoring)
                result = folder / trial.name / RESULT
                result.write_text(json.dumps(content, indent=1) + "\n")
    return [read_json_object(folder / trial.name / RESULT) for trial in trials]


def best_of(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the result with most success in simulation, or, equal there, the smallest errors."""

    def rank(result: dict[str, Any]) -> tuple[float, float]:
        rate = result["sim"].get("all", {}).get("rate")
        errors = [value for value in result["offline"]["l1"].values() if value is not None]
        return rate or 0.0, -statistics.fmean(errors) if errors else 0.0

    return max(results, key=rank)


def _train(
    trials: Sequence[Trial], folder: Path, processes: int, places: Sequence[dict[str, str]]
) -> None:
    """Train networks side by side; what each costs is kept, also when they are interrupted."""
    jobs = []
    for trial, place in zip(trials, places, strict=False):
        run = folder / trial.name / "run"
        config = trial.config.model_copy(update={"output": str(run)})
        training = work.Training(config, resume=(run / "train.json").is_file())
        jobs.append(Job(work.train, training, {**ONE_THREAD, **place}, processes))
    started, before, used = time.monotonic(), _children_s(), list[float]()
    try:
        where = folder / trials[0].name if len(trials) == 1 else folder
        codes = run_jobs(jobs, where / "jobs", "train", cpu_s=used)
    finally:
        rest = max(0.0, _children_s() - before - sum(used)) / len(trials)  # of what was killed
        wall_s = time.monotonic() - started
        known = [*used, *[0.0] * len(trials)]
        for trial, cpu_s in zip(trials, known, strict=False):
            _add_cost(folder / trial.name / COST, {"wall_s": wall_s, "cpu_s": cpu_s + rest})
    for trial, code in zip(trials, codes, strict=True):
        _check(code, "train", trial.name)


def _scored(trial: Trial, folder: Path, scoring: Scoring) -> dict[str, Any]:
    run, cost = folder / "run", read_json_object(folder / COST)
    best = run / "best" if (run / "best").is_dir() else run / "last"
    held_out = [entry["val"] for entry in read_metrics(run) if "val" in entry]
    reports = _reports(best, scoring, folder)
    return {
        "name": trial.name,
        **trial.metadata,
        "checkpoint": str(best),
        "train": cost,
        "steps": max((entry["step"] for entry in read_metrics(run)), default=0),
        "held_out": held_out[-1] if held_out else {},
        "offline": reports["offline"],
        "sim": _success(reports["simulation"], best) if scoring.world else {},
    }


def _add_cost(file: Path, spent: dict[str, float]) -> dict[str, float]:
    """Add to what earlier starts of this training took; returns the sums."""
    known = read_json_object(file) if file.is_file() else dict.fromkeys(spent, 0.0)
    total = {key: known[key] + value for key, value in spent.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(total) + "\n")
    return total


def _reports(checkpoint: Path, scoring: Scoring, folder: Path) -> dict[str, Any]:
    """Score in one process, which loads the libraries once."""
    offline = OfflineEvaluation(
        checkpoint,
        scoring.dataset,
        scoring.split,
        scoring.frames,
        scoring.transform,
        device=scoring.device,
    )
    simulation = _simulation(checkpoint, scoring, folder) if scoring.world else None
    job = Job(work.score, work.NetworkScoring(offline, simulation), ONE_THREAD)
    (code,) = run_jobs([job], folder / "jobs", "score")
    _check(code, "score", folder.name)
    return dict(answer_of(folder / "jobs", "score"))


def _simulation(checkpoint: Path, scoring: Scoring, folder: Path) -> Evaluation:
    return Evaluation(
        str(checkpoint),
        scoring.world,
        scoring.tasks,
        scoring.episodes,
        scoring.seed,
        scoring.workers,
        baselines=("none",),
        threads=1,
        out=_free(folder / "sim"),
    )


def _success(report: dict[str, Any], checkpoint: Path) -> dict[str, Any]:
    """Return task -> {rate, trials, wilson_95}; `all` is over all tasks."""
    if report["question"]["interrupted"]:
        raise TrainingError(
            f"scoring {str(checkpoint)!r} was interrupted; the same command goes on"
        )
    keys = ("rate", "trials", "wilson_95")
    found = {score["task"]: {key: score[key] for key in keys} for score in report["scores"]}
    if len(found) == 1:  # a report of one task has no sum over tasks
        found["all"] = next(iter(found.values()))
    return found


def _check(code: int, name: str, trial: str) -> None:
    if code:
        raise TrainingError(
            f"{name} of {trial!r} failed ({ending(code)}), the lines above say why; the same "
            "command goes on from there"
        )


def _free(folder: Path) -> Path:
    names = [folder, *(folder.with_name(f"{folder.name}-{i}") for i in range(2, 100))]
    return next(name for name in names if not name.exists())


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
