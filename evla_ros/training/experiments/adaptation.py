# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A trained network moved to another robot: success against demonstrations, and from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evla_ros.data.bags.metadata import custom_data, read_metadata
from evla_ros.training.config import load_config
from evla_ros.training.errors import TrainingError
from evla_ros.training.experiments.recipe import IMAGE_SIZE, ONE_THREAD, is_dataset, ranks
from evla_ros.training.experiments.stages import Job, Stage
from evla_ros.training.experiments.trials import Trial
from evla_ros.training.simulated.recordings import FIRST_SEED, Recordings, bag_folders

SEEDS_APART = 1000
# Apart from those of evaluation, of bags and of `evla train nano`.
COLLECTED_SEED, PICTURES_SEED = 20_000_000, 21_000_000
VISION_RATE = {"fine-tuned": 6e-4, "from scratch": 1.5e-3}


@dataclass(frozen=True)
class Adaptation:
    """demonstrations: per task, ascending; start: the checkpoint to move ('': scratch only).

    relabels: other instructions answered beside every demonstration, which are collected then; 0:
    none, they are recorded as bags. pictures: episodes that only show the encoders where things
    are, for so many vision_steps; 0: none, the encoders learn with the rest.
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
    pictures: int = 0
    vision_steps: int = 400

    @property
    def starts(self) -> dict[str, str]:
        """Names of the networks and the checkpoints they begin with ('': none)."""
        scratch = {"from scratch": ""}
        return {"fine-tuned": self.start, **scratch} if self.start else scratch

    @property
    def seen(self) -> Path:
        """The dataset of pictures."""
        return self.folder / "data" / f"{self.world}_pictures"

    def vision(self, name: str) -> Path:
        """The encoders of a network before it learns to act."""
        return self.folder / f"vision_{name.replace(' ', '_')}" / "vision.safetensors"

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
    """Return what has to be there before training: a dataset of every size, and encoders."""
    sizes = adaptation.demonstrations
    looking = _looking(adaptation) if adaptation.pictures else []
    if adaptation.relabels:
        return [*(_demonstrating(adaptation, count) for count in sizes), *looking]
    plans = adaptation.recordings()
    recording = [Stage(f"record {plan.task}", plan.jobs, plan.done) for plan in plans]
    return [*recording, *(_converting(adaptation, count) for count in sizes), *looking]


def trials_of(adaptation: Adaptation) -> list[Trial]:
    """Return a run per number of demonstrations: from the checkpoint, and from scratch."""
    trials = []
    for count in adaptation.demonstrations:
        data = f"datasets=[{{path: '{adaptation.dataset(count)}'}}]"
        for name, start in adaptation.starts.items():
            facts = {"start": name, "demonstrations": count}
            words = (data, f"model.start={start}", *_learning(adaptation, name))
            label = f"{name.replace(' ', '_')}-{count}"
            trials.append(Trial(label, facts, adaptation.config, (*words, *adaptation.changes)))
    return trials


def _learning(adaptation: Adaptation, name: str) -> list[str]:
    """Return the settings that follow from what the data holds."""
    words = [] if adaptation.relabels else ["data.instructions=1", "loss.grounding=0"]
    if not adaptation.pictures:
        return [*words, "freeze=[]", "cache_features=false"]
    shared = adaptation.folder / "features"
    return [*words, f"model.vision={adaptation.vision(name)}", f"features={shared}"]


def _demonstrating(adaptation: Adaptation, count: int) -> Stage:
    """A smaller set holds the first demonstrations of a larger one: seeds and tasks in turn."""
    words = [f"--episodes={count * len(adaptation.tasks)}", f"--first-seed={COLLECTED_SEED}"]
    data = adaptation.dataset(count)
    return _collecting(adaptation, f"collect {count}", data, adaptation.relabels, words)


def _collecting(
    adaptation: Adaptation, name: str, data: Path, relabels: int, more: Sequence[str]
) -> Stage:
    words = ["-m", "evla_ros", "train", "collect", str(data), f"--world={adaptation.world}"]
    words += [f"--relabels={relabels}", f"--families={','.join(adaptation.tasks)}", *more]
    words += [f"--image-size={IMAGE_SIZE}", f"--workers={adaptation.processes}"]
    return Stage(name, lambda: [Job(words, ONE_THREAD)], lambda: is_dataset(data))


def _looking(adaptation: Adaptation) -> list[Stage]:
    words = [f"--episodes={adaptation.pictures}", f"--first-seed={PICTURES_SEED}"]
    pictures = _collecting(adaptation, "pictures", adaptation.seen, 0, words)
    return [pictures, *(_seeing(adaptation, name) for name in adaptation.starts)]


def _seeing(adaptation: Adaptation, name: str) -> Stage:
    model = load_config(adaptation.config, list(adaptation.changes)).model
    file = adaptation.vision(name)
    words = [*ranks(adaptation.processes), "-m", "evla_ros", "train", "vision", str(file.parent)]
    words += [f"--dataset={adaptation.seen}", f"--steps={adaptation.vision_steps}"]
    words += [f"--start={adaptation.starts[name]}", f"--rate={VISION_RATE[name]}"]
    words += [f"--preset={model.preset}", f"--camera={(model.cameras or ('primary',))[0]}"]
    return Stage(f"vision {name}", lambda: [Job(words, ONE_THREAD)], file.is_file)


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
