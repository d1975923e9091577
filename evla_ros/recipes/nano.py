# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small policy of a simulated world: record, convert, collect, vision, finetune, and rounds.

A round visits the states that the policy so far gets into, has the expert answer there (DAgger),
and trains on with everything.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from evla_ros.embodiment import load_embodiment
from evla_ros.machine import has_compiler
from evla_ros.reading.text_files import read_json_object
from evla_ros.recipes import work
from evla_ros.recipes.datasets import (
    IMAGE_SIZE,
    change,
    collecting,
    converting,
    evaluating,
    is_dataset,
)
from evla_ros.recipes.jobs import ONE_THREAD, Job
from evla_ros.recipes.nano_settings import Recipe
from evla_ros.recipes.rounds import has_taken, refining
from evla_ros.recipes.simulated_data.recordings import Recordings, bag_folders, choose_via
from evla_ros.recipes.simulated_data.settings import CollectJob, CollectSettings
from evla_ros.recipes.stages import Stage, StageTimes, run_stages
from evla_ros.recipes.vision_config import VisionConfig
from evla_ros.sim.description import describe
from evla_ros.sim.recording import Recording
from evla_ros.sim.worlds import make_suite
from evla_ros.training.config_file import load_config
from evla_ros.training.errors import TrainingError

WORTH_COMPILING = 500  # steps
HARDER = {  # the families of a round, in turn: what takes grasps or placing more often
    "tabletop_arm": (
        "stack", "put_on_plate", "put_in_bowl", "put_in_drawer", "close", "stack", "put_on_plate",
        "push", "lift", "reach", "put_in_bowl", "open",
    ),
}  # fmt: skip
VISITED_SEED, VISITED_WEIGHT = 1_000_000, 1.5


def make(recipe: Recipe, again: str, through_graph: Callable[[Recording], None]) -> Path:
    """Run the stages that are not done yet; returns the checkpoint.

    Args:
        recipe: the sizes; `via` decides whether the bags come through the ROS graph.
        again: the command line that goes on after a failure, for the error message.
        through_graph: records demonstrations over ROS topics and services.

    Raises:
        EvlaError: there is no such world, a stage failed, the folder cannot be made, or ROS is
            asked for and is not there.
    """
    make_suite(recipe.world)
    try:
        recipe.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(
            f"cannot make the folder {str(recipe.folder)!r}: {error.strerror}"
        ) from error
    via = choose_via(recipe.via) if recipe.recorded else "lockstep"
    if via == "lockstep" and recipe.via == "auto" and recipe.recorded:
        print("no ROS 2 here: the bags are recorded in lock-step", file=sys.stderr)
    stages = stages_of(recipe, through_graph if via == "ros" else None)
    times = StageTimes(recipe.folder)
    run_stages(stages, times, again)
    print(times.table([stage.name for stage in stages]), file=sys.stderr)
    return recipe.checkpoint(recipe.rounds)


def stages_of(recipe: Recipe, through_graph: Callable[[Recording], None] | None) -> list[Stage]:
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
    recordings = recordings_of(recipe, through_graph)
    data = recipe.recorded_data
    convert = Stage("convert", lambda: [_convert(recipe)], lambda: is_dataset(data))
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


def recordings_of(recipe: Recipe, through_graph: Callable[[Recording], None] | None) -> Recordings:
    """Return the recordings; where some were begun, as many recorders go on as began."""
    plan = Recordings(
        recipe.bags,
        recipe.recorded,
        min(recipe.processes, recipe.recorded),
        through_graph,
        world=recipe.world,
        image_size=IMAGE_SIZE,
        domain=recipe.domain,
    )
    begun = len(list(recipe.bags.glob("recorder_*")))
    return replace(plan, workers=begun) if begun and through_graph is not None else plan


def is_finished(recipe: Recipe, round_: int) -> bool:
    """Whether a training has taken all its steps."""
    run = recipe.run(round_)
    if not (run / "train.json").is_file():
        return False
    asked = read_json_object(run / "train.json")["optimizer"]["steps"]
    return has_taken(run, recipe.round_steps if round_ else recipe.steps or asked)


def _cameras(recipe: Recipe) -> tuple[str, ...]:
    return tuple(load_embodiment(describe(recipe.world).embodiment).cameras)


def _answered(recipe: Recipe) -> CollectSettings:
    return CollectSettings(every=1, own=True, one_style=True, cameras=_cameras(recipe))


def _convert(recipe: Recipe) -> Job:
    return converting(bag_folders(recipe.bags), recipe.recorded_data, recipe.processes)


def _collect(recipe: Recipe) -> Job:
    job = CollectJob(
        recipe.world, recipe.collected, image_size=IMAGE_SIZE, settings=_answered(recipe)
    )
    return collecting(job, recipe.collected_data, recipe.processes)


def _visit(recipe: Recipe, round_: int) -> Job:
    job = CollectJob(
        recipe.world,
        recipe.round_episodes,
        first_seed=VISITED_SEED * (1 + round_),
        image_size=IMAGE_SIZE,
        checkpoint=str(recipe.checkpoint(round_ - 1)),
        families=HARDER.get(recipe.world, ()),
        settings=_answered(recipe),
    )
    return collecting(job, recipe.visited_data(round_), recipe.processes)


def _vision(recipe: Recipe) -> Job:
    config = VisionConfig(
        recipe.vision.parent,
        (recipe.collected_data,),
        preset=load_config(recipe.config).model.preset,
        cameras=_cameras(recipe),
        steps=recipe.vision_steps,
    )
    return Job(work.pretrain_encoders, config, ONE_THREAD, recipe.processes)


def _finetune(recipe: Recipe) -> Job:
    changes = [change("model.vision", str(recipe.vision))]
    changes += [change("optimizer.steps", recipe.steps)] if recipe.steps else []
    return _trained(recipe, 0, changes, recipe.steps)


def _refine(recipe: Recipe, round_: int) -> Job:
    changes = [
        *refining(recipe.checkpoint(round_ - 1), round_),
        change("optimizer.steps", recipe.round_steps),
    ]
    return _trained(recipe, round_, changes, recipe.round_steps)


def _trained(recipe: Recipe, round_: int, more: Sequence[str], steps: int) -> Job:
    run, weights = recipe.run(round_), _weights(recipe, round_)
    mixture = [{"path": str(path), "weight": weight} for path, weight in weights.items()]
    changes = [
        change("output", str(run)),
        change("datasets", mixture),
        change("embodiment", describe(recipe.world).embodiment),
        change("model.cameras", list(_cameras(recipe))),
        *evaluating(list(weights)),
        *more,
        change("compile", has_compiler() and not 0 < steps < WORTH_COMPILING),
    ]
    resume = (run / "train.json").is_file()
    training = work.Training(load_config(recipe.config, changes), resume=resume)
    return Job(work.train, training, ONE_THREAD, recipe.processes)


def _weights(recipe: Recipe, round_: int) -> dict[Path, float]:
    weights = {recipe.collected_data: 1.0}
    if recipe.recorded:
        weights[recipe.recorded_data] = recipe.recorded_weight
    return weights | {recipe.visited_data(r): VISITED_WEIGHT for r in range(1, round_ + 1)}
