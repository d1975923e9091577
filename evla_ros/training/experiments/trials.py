# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One trained and scored network of an experiment; its result is kept, so experiments go on."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evla_ros.training.errors import TrainingError
from evla_ros.training.metrics import read_metrics

RESULT, COST = "result.json", "cost.json"
_ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Scoring:
    """How trained networks are scored.

    dataset: of `evla eval offline`, over `frames` held-out frames. world: of `evla eval sim` ('':
    none), `episodes` per task of `tasks`, from `seed`, in so many `workers`.
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


@dataclass(frozen=True)
class Trial:
    """name: of its folder. facts: what a table groups it by. changes: to the configuration."""

    name: str
    facts: dict[str, Any]
    config: Path
    changes: tuple[str, ...]


def run_trials(
    trials: Sequence[Trial], folder: Path, scoring: Scoring, processes: int
) -> list[dict[str, Any]]:
    """Train and score what has no result yet; returns all results in order."""
    results = []
    for number, trial in enumerate(trials):
        print(f"[{number + 1}/{len(trials)}] {trial.name}", file=sys.stderr, flush=True)
        place = folder / trial.name
        if not (place / RESULT).is_file():
            result = _run(trial, place, scoring, processes)
            (place / RESULT).write_text(json.dumps(result, indent=1) + "\n")
        results.append(json.loads((place / RESULT).read_text()))
    return results


def _run(trial: Trial, place: Path, scoring: Scoring, processes: int) -> dict[str, Any]:
    run = place / "run"
    words = [str(trial.config), *trial.changes, f"output={run}"]
    words += ["--resume"] if (run / "train.json").is_file() else []
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    start = [*launch, "-m"] if processes > 1 else ["-m"]
    started, before = time.monotonic(), _children_s()
    try:
        _call([*start, "evla_ros.training.train", *words], f"training {trial.name!r}")
    finally:
        spent = {"wall_s": time.monotonic() - started, "cpu_s": _children_s() - before}
        cost = _add_cost(place / COST, spent)
    best = run / "best" if (run / "best").is_dir() else run / "last"
    held_out = [entry["val"] for entry in read_metrics(run) if "val" in entry]
    return {
        "name": trial.name,
        **trial.facts,
        "checkpoint": str(best),
        "train": cost,
        "steps": max((entry["step"] for entry in read_metrics(run)), default=0),
        "held_out": held_out[-1] if held_out else {},
        "offline": _offline(best, scoring),
        "sim": _sim(best, scoring) if scoring.world else {},
    }


def _add_cost(file: Path, spent: dict[str, float]) -> dict[str, float]:
    """Add to what earlier starts of this training took; returns the sums."""
    known = json.loads(file.read_text()) if file.is_file() else dict.fromkeys(spent, 0.0)
    total = {key: known[key] + value for key, value in spent.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(total) + "\n")
    return total


def _offline(checkpoint: Path, scoring: Scoring) -> dict[str, Any]:
    words = ["eval", "offline", f"--policy={checkpoint}", f"--dataset={scoring.dataset}"]
    words += [f"--split={scoring.split}", f"--transform={scoring.transform}"]
    return _answer([*words, f"--frames={scoring.frames}", "--json"])


def _sim(checkpoint: Path, scoring: Scoring) -> dict[str, Any]:
    """Return task -> {rate, trials, wilson_95}; `all` is over all tasks."""
    words = ["eval", "sim", f"--policy={checkpoint}", f"--world={scoring.world}", "--json"]
    words += ["--tasks", *scoring.tasks, f"--episodes={scoring.episodes}", "--baselines=none"]
    words += [f"--seed={scoring.seed}", f"--workers={scoring.workers}", "--threads=1"]
    report = _answer([*words, f"--out={_free(checkpoint.parents[1] / 'sim')}"], codes=(0, 1))
    keys = ("rate", "trials", "wilson_95")
    found = {score["task"]: {key: score[key] for key in keys} for score in report["scores"]}
    if len(found) == 1:  # a report of one task has no sum over tasks
        found["all"] = next(iter(found.values()))
    return found


def _answer(words: Sequence[str], codes: tuple[int, ...] = (0,)) -> dict[str, Any]:
    output = _call(["-m", "evla_ros", *words], " ".join(words[:2]), codes)
    return dict(json.loads(output))


def _call(words: Sequence[str], what: str, codes: tuple[int, ...] = (0,)) -> str:
    done = subprocess.run(
        [sys.executable, *words],
        env={**os.environ, **_ONE_THREAD},
        stdout=subprocess.PIPE,
        text=True,
    )
    if done.returncode not in codes:
        raise TrainingError(
            f"{what} failed (exit code {done.returncode}), the lines above say why; the same "
            "command goes on from there"
        )
    return done.stdout


def _free(folder: Path) -> Path:
    names = [folder, *(folder.with_name(f"{folder.name}-{i}") for i in range(2, 100))]
    return next(name for name in names if not name.exists())


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
