# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recipe of `evla-nano` as stages: record, convert, collect, vision, finetune."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evla_ros.training.checkpointing import states
from evla_ros.training.experiments.stages import Job, Stage
from evla_ros.training.model_changes.compiling import has_compiler
from evla_ros.training.simulated.recordings import Recordings, bag_folders

IMAGE_SIZE = 128
WORTH_COMPILING = 500  # steps
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Recipe:
    """folder: of everything. recorded, collected: episodes. steps: 0 takes the configuration's.

    recorded_weight: multiplies the size of the recorded dataset in the mixture.
    """

    folder: Path
    config: Path
    recorded: int
    collected: int
    vision_steps: int
    steps: int
    processes: int
    via: str = "ros"
    domain: int = 70
    recorded_weight: float = 1.0

    @property
    def bags(self) -> Path:
        """Where the recorders write."""
        return self.folder / "bags"

    @property
    def recorded_data(self) -> Path:
        """The dataset made from the bags."""
        return self.folder / "data" / "tabletop_recorded"

    @property
    def collected_data(self) -> Path:
        """The dataset with counterfactual labels."""
        return self.folder / "data" / "tabletop_nano"

    @property
    def vision(self) -> Path:
        """The encoders."""
        return self.folder / "vision" / "vision.safetensors"

    @property
    def checkpoint(self) -> Path:
        """What the recipe is for; without held-out episodes there is no best, only a last."""
        best = self.folder / "run" / "best"
        return best if best.is_dir() else best.with_name("last")


def stages_of(recipe: Recipe) -> list[Stage]:
    """Return the stages in order; without recorded episodes the first two are left out."""
    learned = [
        Stage("collect", lambda: [_collect(recipe)], lambda: is_dataset(recipe.collected_data)),
        Stage("vision", lambda: [_vision(recipe)], recipe.vision.is_file),
        Stage("finetune", lambda: [_finetune(recipe)], lambda: is_finished(recipe)),
    ]
    if recipe.recorded < 1:
        return learned
    recordings = recordings_of(recipe)
    convert = Stage(
        "convert",
        lambda: [_convert(recipe)],
        lambda: is_dataset(recipe.recorded_data),
        accepts=(0, 1),  # 1: some bags were refused, and the report says which
    )
    return [Stage("record", recordings.jobs, recordings.done), convert, *learned]


def recordings_of(recipe: Recipe) -> Recordings:
    """Return what the stage `record` makes; on from bags that are there, as they were begun."""
    workers = max(1, min(recipe.processes, recipe.recorded))
    plan = Recordings(
        recipe.bags, recipe.recorded, workers, recipe.via, image_size=IMAGE_SIZE,
        domain=recipe.domain,
    )  # fmt: skip
    begun = len(list(recipe.bags.glob("recorder_*")))
    return replace(plan, workers=begun) if begun and recipe.via == "ros" else plan


def is_dataset(folder: Path) -> bool:
    """Whether a dataset is complete (its version folder is renamed into place)."""
    return any(folder.glob("*/dataset_info.json"))


def is_finished(recipe: Recipe) -> bool:
    """Whether the last stage has taken all its steps."""
    found = states(recipe.folder / "run")
    if not found:
        return False
    asked = json.loads((recipe.folder / "run" / "train.json").read_text())["optimizer"]["steps"]
    return int(found[-1].name.removeprefix("step-")) >= (recipe.steps or asked)


def _convert(recipe: Recipe) -> Job:
    words = ["-m", "evla_ros", "convert", *map(str, bag_folders(recipe.bags))]
    words += [f"--out={recipe.recorded_data.parent}", f"--name={recipe.recorded_data.name}"]
    return Job([*words, f"--image-size={IMAGE_SIZE}", f"--jobs={recipe.processes}"])


def _collect(recipe: Recipe) -> Job:
    words = ["-m", "evla_ros", "train", "collect", str(recipe.collected_data)]
    words += [f"--episodes={recipe.collected}", f"--image-size={IMAGE_SIZE}"]
    return Job([*words, f"--workers={recipe.processes}"], ONE_THREAD)


def _vision(recipe: Recipe) -> Job:
    words = [f"--dataset={recipe.collected_data}", f"--steps={recipe.vision_steps}"]
    module = ["-m", "evla_ros", "train", "vision", str(recipe.vision.parent), *words]
    return Job([*_ranks(recipe.processes), *module], ONE_THREAD)


def _finetune(recipe: Recipe) -> Job:
    entries = [f"{{path: '{recipe.collected_data}'}}"]
    if recipe.recorded:
        entries.append(f"{{path: '{recipe.recorded_data}', weight: {recipe.recorded_weight}}}")
    run = recipe.folder / "run"
    words = [str(recipe.config), f"output={run}", f"datasets=[{', '.join(entries)}]"]
    words += [f"model.vision={recipe.vision}", f"compile={str(_compiles(recipe)).lower()}"]
    words += [f"optimizer.steps={recipe.steps}"] if recipe.steps else []
    words += ["--resume"] if (run / "train.json").is_file() else []
    return Job([*_ranks(recipe.processes), "-m", "evla_ros.training.train", *words], ONE_THREAD)


def _ranks(processes: int) -> Sequence[str]:
    """Return what starts so many processes of one thread, which beat one of so many threads."""
    if processes == 1:
        return []
    return ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]


def _compiles(recipe: Recipe) -> bool:
    """Whether compiling (a minute or two) is worth it, and possible here."""
    return has_compiler() and not 0 < recipe.steps < WORTH_COMPILING
