# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recipe of `evla-nano` as stages: record, convert, collect, vision, finetune, and rounds.

A round visits the states that the policy so far gets into, has the expert answer there (DAgger),
and trains on with everything.
"""

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
HARDER = (  # the families of a round, in turn: what takes grasps or placing more often
    "stack,put_on_plate,put_in_bowl,put_in_drawer,close,stack,put_on_plate,push,lift,reach,"
    "put_in_bowl,open"
)
VISITED_SEED, VISITED_WEIGHT, REFINING_RATE = 1_000_000, 1.5, 6e-4
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Recipe:
    """folder: of everything. recorded, collected: episodes. steps: 0 takes the configuration's.

    recorded_weight: multiplies the size of the recorded dataset in the mixture. rounds: after the
    first training, each of so many episodes and steps.
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
    rounds: int = 1
    round_episodes: int = 300
    round_steps: int = 2600

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

    def run(self, round_: int) -> Path:
        """The first training, or that of a round."""
        return self.folder / (f"round_{round_}" if round_ else "run")

    def visited_data(self, round_: int) -> Path:
        """The dataset of a round: the policy's states, the expert's answers."""
        return self.folder / "data" / f"tabletop_round_{round_}"

    def checkpoint(self, round_: int) -> Path:
        """What a training leaves; without held-out episodes there is no best, only a last."""
        best = self.run(round_) / "best"
        return best if best.is_dir() else best.with_name("last")


def stages_of(recipe: Recipe) -> list[Stage]:
    """Return the stages in order; without recorded episodes the first two are left out."""
    learned = [
        Stage("collect", lambda: [_collect(recipe)], lambda: is_dataset(recipe.collected_data)),
        Stage("vision", lambda: [_vision(recipe)], recipe.vision.is_file),
        Stage("finetune", lambda: [_finetune(recipe)], lambda: is_finished(recipe, 0)),
    ]
    for round_ in range(1, recipe.rounds + 1):
        learned += _round(recipe, round_)
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


def _round(recipe: Recipe, round_: int) -> list[Stage]:
    visited = recipe.visited_data(round_)
    return [
        Stage(f"visit {round_}", lambda: [_visit(recipe, round_)], lambda: is_dataset(visited)),
        Stage(
            f"refine {round_}",
            lambda: [_refine(recipe, round_)],
            lambda: is_finished(recipe, round_),
        ),
    ]


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


def is_finished(recipe: Recipe, round_: int) -> bool:
    """Whether a training has taken all its steps."""
    found = states(recipe.run(round_))
    if not found:
        return False
    asked = json.loads((recipe.run(round_) / "train.json").read_text())["optimizer"]["steps"]
    wanted = recipe.round_steps if round_ else recipe.steps or asked
    return int(found[-1].name.removeprefix("step-")) >= wanted


def _convert(recipe: Recipe) -> Job:
    words = ["-m", "evla_ros", "convert", *map(str, bag_folders(recipe.bags))]
    words += [f"--out={recipe.recorded_data.parent}", f"--name={recipe.recorded_data.name}"]
    return Job([*words, f"--image-size={IMAGE_SIZE}", f"--jobs={recipe.processes}"])


def _collect(recipe: Recipe) -> Job:
    return _collected(recipe, recipe.collected_data, [f"--episodes={recipe.collected}"])


def _visit(recipe: Recipe, round_: int) -> Job:
    words = [f"--episodes={recipe.round_episodes}", f"--families={HARDER}"]
    words += [f"--first-seed={VISITED_SEED * (1 + round_)}"]
    words += [f"--policy={recipe.checkpoint(round_ - 1)}"]
    return _collected(recipe, recipe.visited_data(round_), words)


def _collected(recipe: Recipe, dataset: Path, more: Sequence[str]) -> Job:
    words = ["-m", "evla_ros", "train", "collect", str(dataset), *more]
    return Job([*words, f"--image-size={IMAGE_SIZE}", f"--workers={recipe.processes}"], ONE_THREAD)


def _vision(recipe: Recipe) -> Job:
    words = [f"--dataset={recipe.collected_data}", f"--steps={recipe.vision_steps}"]
    module = ["-m", "evla_ros", "train", "vision", str(recipe.vision.parent), *words]
    return Job([*ranks(recipe.processes), *module], ONE_THREAD)


def _finetune(recipe: Recipe) -> Job:
    words = [f"model.vision={recipe.vision}"]
    words += [f"optimizer.steps={recipe.steps}"] if recipe.steps else []
    return _trained(recipe, 0, words, recipe.steps)


def _refine(recipe: Recipe, round_: int) -> Job:
    words = [f"model.start={recipe.checkpoint(round_ - 1)}", "model.vision=''"]
    words += [f"seed={round_}", f"optimizer.learning_rate={REFINING_RATE}"]
    words += [f"optimizer.steps={recipe.round_steps}"]
    return _trained(recipe, round_, words, recipe.round_steps)


def _trained(recipe: Recipe, round_: int, more: Sequence[str], steps: int) -> Job:
    run, compiles = recipe.run(round_), has_compiler() and not 0 < steps < WORTH_COMPILING
    words = [str(recipe.config), f"output={run}", f"datasets=[{_mixture(recipe, round_)}]", *more]
    words += [f"compile={str(compiles).lower()}"]
    words += ["--resume"] if (run / "train.json").is_file() else []
    return Job([*ranks(recipe.processes), "-m", "evla_ros.training.train", *words], ONE_THREAD)


def _mixture(recipe: Recipe, round_: int) -> str:
    weights = {recipe.collected_data: 1.0}
    if recipe.recorded:
        weights[recipe.recorded_data] = recipe.recorded_weight
    weights |= {recipe.visited_data(r): VISITED_WEIGHT for r in range(1, round_ + 1)}
    return ", ".join(f"{{path: '{path}', weight: {weight}}}" for path, weight in weights.items())


def ranks(processes: int) -> Sequence[str]:
    """Return what starts so many processes of one thread, which beat one of so many threads."""
    if processes == 1:
        return []
    return ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
