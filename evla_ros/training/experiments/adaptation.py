# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A trained network moved to another robot: success against demonstrations, and from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from evla_ros.data.bags.metadata import custom_data, read_metadata
from evla_ros.training.config import load_config
from evla_ros.training.errors import TrainingError
from evla_ros.training.experiments.recipe import (
    IMAGE_SIZE,
    ONE_THREAD,
    WORTH_COMPILING,
    is_dataset,
)
from evla_ros.training.experiments.stages import Job, Stage
from evla_ros.training.experiments.trials import Trial
from evla_ros.training.model_changes.compiling import has_compiler
from evla_ros.training.simulated.recordings import FIRST_SEED, Recordings, bag_folders

SEEDS_APART = 1000
# Apart from those of evaluation, of bags and of `evla train nano`.
COLLECTED_SEED, CORRECTED_SEED = 20_000_000, 22_000_000
CORRECTED_TICKS = 80  # a network that is stuck shows nothing new after that
REFINING = ("optimizer.learning_rate=7.0e-4", "seed=1")


@dataclass(frozen=True)
class Adaptation:
    """demonstrations: per task, ascending; start: the checkpoint to move ('': scratch only).

    relabels: other instructions answered beside every demonstration, which are collected then; 0:
    none, they are recorded as bags. corrected: episodes a task that every network then plays and
    the expert answers, to train on with for corrected_steps (DAgger); 0: none. from_scratch: which
    of the datasets a fresh network learns from too.
    """

    folder: Path
    config: Path
    world: str
    tasks: tuple[str, ...]
    demonstrations: tuple[int, ...]
    start: str
    changes: tuple[str, ...]
    via: str
    processes: int
    domain: int = 70
    relabels: int = 0
    corrected: int = 0
    corrected_steps: int = 1000
    from_scratch: Literal["all", "largest", "none"] = "all"

    @property
    def networks(self) -> list[tuple[str, str, int]]:
        """Name, checkpoint it begins with ('': none) and demonstrations of every network."""
        fresh = {"all": self.demonstrations, "largest": self.demonstrations[-1:], "none": ()}
        moved = self.demonstrations if self.start else ()
        return [
            *(("fine-tuned", self.start, count) for count in moved),
            *(("from scratch", "", count) for count in fresh[self.from_scratch]),
        ]

    def recordings(self) -> list[Recordings]:
        """Return what is recorded: as many bags of every task as the largest set needs."""
        most = max(self.demonstrations)
        plan = Recordings(
            self.folder, most, min(self.processes, most), self.via, self.world, domain=self.domain
        )
        return [
            replace(
                plan, folder=self.folder / "bags" / task, task=task,
                first_seed=FIRST_SEED + i * SEEDS_APART,
            )
            for i, task in enumerate(self.tasks)
        ]  # fmt: skip

    def dataset(self, count: int) -> Path:
        """Return the dataset of `count` demonstrations a task."""
        return self.folder / "data" / f"{self.world}_{count}"

    def visited(self, name: str) -> Path:
        """Return the dataset of what a network did and the expert would have done."""
        return self.folder / "data" / f"{self.world}_visited_{name.replace('-', '_')}"


def stages_of(adaptation: Adaptation) -> list[Stage]:
    """Return what has to be there before training: a dataset of every size."""
    sizes = adaptation.demonstrations
    if adaptation.relabels:
        return [_demonstrating(adaptation, count) for count in sizes]
    plans = adaptation.recordings()
    recording = [Stage(f"record {plan.task}", plan.jobs, plan.done) for plan in plans]
    return [*recording, *(_converting(adaptation, count) for count in sizes)]


def trials_of(adaptation: Adaptation) -> list[Trial]:
    """Return a run per number of demonstrations: all from the checkpoint, then the fresh ones."""
    trials = []
    for name, start, count in adaptation.networks:
        facts = {"start": name, "demonstrations": count, "corrected": 0}
        words = _learning(adaptation, [adaptation.dataset(count)], start)
        trials.append(Trial(_label(name, count), facts, adaptation.config, words))
    return trials


def corrections_of(
    adaptation: Adaptation, results: Sequence[dict[str, Any]]
) -> tuple[list[Stage], list[Trial]]:
    """Return what lets every network of `results` act under the expert's eyes, and train on."""
    if not adaptation.corrected:
        return [], []
    stages, trials = [], []
    for result in results:
        name, checkpoint = result["name"], result["checkpoint"]
        data = [adaptation.dataset(result["demonstrations"]), adaptation.visited(name)]
        facts = {key: result[key] for key in ("start", "demonstrations")}
        facts |= {"corrected": adaptation.corrected, "cpu_s_before": result["train"]["cpu_s"]}
        steps = f"optimizer.steps={adaptation.corrected_steps}"
        words = _learning(adaptation, data, checkpoint, steps, *REFINING)
        stages.append(_visiting(adaptation, name, checkpoint))
        trials.append(Trial(f"{name}-corrected", facts, adaptation.config, words))
    return stages, trials


def _label(name: str, count: int) -> str:
    return f"{name.replace(' ', '_')}-{count}"


def _learning(
    adaptation: Adaptation, data: Sequence[Path], start: str, *more: str
) -> tuple[str, ...]:
    """Return a run's settings; without counterfactual labels nothing says where things are."""
    datasets = ", ".join(f"{{path: '{path}'}}" for path in data)
    words = [f"datasets=[{datasets}]", f"model.start={start}"]
    words += [] if adaptation.relabels else ["data.instructions=1", "loss.grounding=0"]
    words += [*adaptation.changes, *more]
    steps = load_config(adaptation.config, words).optimizer.steps
    compiles = has_compiler() and steps >= WORTH_COMPILING
    return (f"compile={str(compiles).lower()}", *words)


def _demonstrating(adaptation: Adaptation, count: int) -> Stage:
    """A smaller set holds the first demonstrations of a larger one: seeds and tasks in turn."""
    words = [f"--episodes={count * len(adaptation.tasks)}", f"--first-seed={COLLECTED_SEED}"]
    words += [f"--relabels={adaptation.relabels}", "--every=1"]
    return _collecting(adaptation, f"collect {count}", adaptation.dataset(count), words)


def _visiting(adaptation: Adaptation, name: str, checkpoint: str) -> Stage:
    words = [f"--episodes={adaptation.corrected * len(adaptation.tasks)}", "--relabels=1"]
    words += [f"--first-seed={CORRECTED_SEED}", f"--max-ticks={CORRECTED_TICKS}"]
    words += [f"--policy={checkpoint}"]
    return _collecting(adaptation, f"correct {name}", adaptation.visited(name), words)


def _collecting(adaptation: Adaptation, name: str, data: Path, more: Sequence[str]) -> Stage:
    words = ["-m", "evla_ros", "train", "collect", str(data), f"--world={adaptation.world}"]
    words += [f"--families={','.join(adaptation.tasks)}", *more]
    words += [f"--image-size={IMAGE_SIZE}", f"--workers={adaptation.processes}"]
    return Stage(name, lambda: [Job(words, ONE_THREAD)], lambda: is_dataset(data))


def _converting(adaptation: Adaptation, count: int) -> Stage:
    data = adaptation.dataset(count)

    def jobs() -> list[Job]:
        bags = [bag for plan in adaptation.recordings() for bag in _successes(plan, count)]
        words = ["-m", "evla_ros", "convert", *map(str, bags), f"--out={data.parent}"]
        return [Job([*words, f"--name={data.name}", "--image-size=128"])]

    return Stage(f"convert {count}", jobs, lambda: is_dataset(data), accepts=(0, 1))


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
