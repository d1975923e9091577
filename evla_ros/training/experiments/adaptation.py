# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A trained network moved to another robot: success against demonstrations, and from scratch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evla_ros.data.bags.metadata import custom_data, read_metadata
from evla_ros.training.errors import TrainingError
from evla_ros.training.experiments.recipe import is_dataset
from evla_ros.training.experiments.stages import Job, Stage
from evla_ros.training.experiments.trials import Trial
from evla_ros.training.simulated.recordings import FIRST_SEED, Recordings, bag_folders

SEEDS_APART = 1000


@dataclass(frozen=True)
class Adaptation:
    """demonstrations: per task, ascending; start: the checkpoint to move ('': scratch only)."""

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


def stages_of(adaptation: Adaptation) -> list[Stage]:
    """Return what has to be there before training: bags of every task, a dataset of every size."""
    plans = adaptation.recordings()
    recording = [Stage(f"record {plan.task}", plan.jobs, plan.done) for plan in plans]
    return [*recording, *(_converting(adaptation, n) for n in adaptation.demonstrations)]


def trials_of(adaptation: Adaptation) -> list[Trial]:
    """Return a run per number of demonstrations: from the checkpoint, and from scratch."""
    starts = {"fine-tuned": adaptation.start, "from scratch": ""}
    trials = []
    for count in adaptation.demonstrations:
        data = f"datasets=[{{path: '{adaptation.dataset(count)}'}}]"
        for name, start in starts.items():
            if name == "fine-tuned" and not start:
                continue
            facts = {"start": name, "demonstrations": count}
            words = (data, f"model.start={start}", *adaptation.changes)
            label = f"{name.replace(' ', '_')}-{count}"
            trials.append(Trial(label, facts, adaptation.config, words))
    return trials


def table(results: Sequence[dict[str, Any]], tasks: Sequence[str]) -> str:
    """Return success per task as Markdown, with the CPU time that training took."""
    names = [*tasks, "all"]
    lines = [
        f"| network | demonstrations a task | {' | '.join(names)} | CPU |",
        f"|---|---|{'---|' * len(names)}---|",
    ]
    for result in results:
        cells = [_rate(result["sim"].get(name)) for name in names]
        minutes = f"{result['train']['cpu_s'] / 60:.0f} min"
        row = [result["start"], str(result["demonstrations"]), *cells, minutes]
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def plot(results: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw success over all tasks against the demonstrations, with 95 % intervals."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2, 3.6), layout="constrained")
    axis = figure.subplots()
    for start in dict.fromkeys(result["start"] for result in results):
        points = [
            (r["demonstrations"], 100 * r["sim"]["all"]["rate"], r["sim"]["all"]["wilson_95"])
            for r in results
            if r["start"] == start and r["sim"].get("all", {}).get("rate") is not None
        ]
        if points:
            counts, rates, spans = zip(*points, strict=True)
            below = [rate - 100 * span[0] for rate, span in zip(rates, spans, strict=True)]
            above = [100 * span[1] - rate for rate, span in zip(rates, spans, strict=True)]
            axis.errorbar(counts, rates, yerr=[below, above], marker="o", capsize=3, label=start)
    axis.set_xlabel("demonstrations per task")
    axis.set_ylabel("success, all tasks (%)")
    axis.set_ylim(-3, 103)
    axis.grid(alpha=0.3)
    if axis.has_data():
        axis.legend(fontsize=8)
    figure.savefig(path, dpi=110)


def write(adaptation: Adaptation, results: Sequence[dict[str, Any]]) -> str:
    """Write adaptation.json, adaptation.md and success.png; returns the table."""
    folder, text = adaptation.folder, table(results, adaptation.tasks)
    content = {"world": adaptation.world, "start": adaptation.start, "results": list(results)}
    (folder / "adaptation.json").write_text(json.dumps(content, indent=1) + "\n")
    (folder / "adaptation.md").write_text(text + "\n")
    plot(results, folder / "success.png")
    return text


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


def _rate(score: dict[str, Any] | None) -> str:
    if not score or score["rate"] is None:
        return "-"
    low, high = score["wilson_95"]
    return f"{100 * score['rate']:.0f} % ({100 * low:.0f} to {100 * high:.0f})"
