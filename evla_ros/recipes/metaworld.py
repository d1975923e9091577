# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recipe for Meta-World as stages: collect, vision, finetune, score.

The encoder first learns where things are, then everything learns together. Rounds, where they are
asked for, visit the states that the policy so far gets into, have the expert answer there (DAgger),
and train on with everything.
"""

from __future__ import annotations

import importlib.util
import sys
from functools import partial
from pathlib import Path

from evla_ros.machine import has_compiler
from evla_ros.recipes import work
from evla_ros.recipes.datasets import change, collecting, evaluating, is_dataset
from evla_ros.recipes.jobs import ONE_THREAD, Job
from evla_ros.recipes.metaworld_settings import MetaWorldRecipe
from evla_ros.recipes.nano import WORTH_COMPILING
from evla_ros.recipes.rounds import has_taken, refining
from evla_ros.recipes.simulated_data.settings import CollectJob, CollectSettings
from evla_ros.recipes.stages import Stage, StageTimes, run_stages
from evla_ros.recipes.vision_config import VisionConfig
from evla_ros.sim.benchmarks.metaworld.environment import INSTALL
from evla_ros.sim.benchmarks.metaworld.settings import PICTURE_PX, MetaWorldEvaluation
from evla_ros.sim.benchmarks.metaworld.tasks import ALL, tasks_of
from evla_ros.sim.benchmarks.metaworld.world import DESCRIPTION
from evla_ros.training.config_file import load_config
from evla_ros.training.errors import TrainingError

VISITED_SEED, VISITED_TICKS = 10_000_000, 250
CAMERAS = tuple(DESCRIPTION.cameras)


def make(recipe: MetaWorldRecipe, again: str) -> Path:
    """Run the stages that are not done yet; returns the checkpoint.

    Args:
        recipe: the sizes.
        again: the command line that goes on after a failure, for the error message.

    Raises:
        EvlaError: an unknown task, Meta-World is not installed, the folder cannot be made, or a
            stage failed.
    """
    tasks_of(recipe.tasks)
    if importlib.util.find_spec("metaworld") is None:
        raise TrainingError(INSTALL)
    try:
        recipe.folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TrainingError(
            f"cannot make the folder {str(recipe.folder)!r}: {error.strerror}"
        ) from error
    stages = stages_of(recipe)
    times = StageTimes(recipe.folder)
    run_stages(stages, times, again)
    print(times.table([stage.name for stage in stages]), file=sys.stderr)
    return recipe.checkpoint(recipe.rounds)


def stages_of(recipe: MetaWorldRecipe) -> list[Stage]:
    """Return the stages in order, without those of size 0."""
    stages = [Stage("collect", lambda: [_collect(recipe)], lambda: is_dataset(recipe.data))]
    if recipe.vision_steps:
        stages.append(Stage("vision", lambda: [_vision(recipe)], recipe.vision.is_file))
    trained = partial(has_taken, recipe.run(0), recipe.steps)
    stages.append(Stage("finetune", lambda: [_finetune(recipe)], trained))
    for round_ in range(1, recipe.rounds + 1):
        stages += _round(recipe, round_)
    if recipe.score_episodes:
        report = recipe.score / "report.json"
        stages.append(Stage("score", lambda: [_score(recipe)], report.is_file))
    return stages


def _round(recipe: MetaWorldRecipe, round_: int) -> list[Stage]:
    visited, run = recipe.visited(round_), recipe.run(round_)
    return [
        Stage(f"visit {round_}", lambda: [_visit(recipe, round_)], lambda: is_dataset(visited)),
        Stage(
            f"refine {round_}",
            lambda: [_refine(recipe, round_)],
            lambda: has_taken(run, recipe.round_steps),
        ),
    ]


def _collect(recipe: MetaWorldRecipe) -> Job:
    tasks = tasks_of(recipe.tasks or [ALL])
    job = CollectJob(
        world="metaworld",
        episodes=len(tasks) * recipe.demonstrations,
        image_size=PICTURE_PX,
        settings=CollectSettings(relabels=0, noise=recipe.noise, cameras=CAMERAS),
        families=tasks,
        one_by_one=True,
    )
    return collecting(job, recipe.data, recipe.processes)


def _visit(recipe: MetaWorldRecipe, round_: int) -> Job:
    tasks = tasks_of(recipe.tasks or [ALL])
    settings = CollectSettings(relabels=0, max_ticks=VISITED_TICKS, cameras=CAMERAS)
    job = CollectJob(
        world="metaworld",
        episodes=len(tasks) * recipe.round_episodes,
        first_seed=VISITED_SEED * (1 + round_),
        image_size=PICTURE_PX,
        settings=settings,
        checkpoint=str(recipe.checkpoint(round_ - 1)),
        families=tasks,
        one_by_one=True,
    )
    return collecting(job, recipe.visited(round_), recipe.processes)


def _vision(recipe: MetaWorldRecipe) -> Job:
    preset = load_config(recipe.config).model.preset
    config = VisionConfig(
        recipe.vision.parent,
        (recipe.data,),
        preset=preset,
        cameras=CAMERAS,
        steps=recipe.vision_steps,
    )
    return Job(work.pretrain_encoders, config, ONE_THREAD, recipe.processes)


def _finetune(recipe: MetaWorldRecipe) -> Job:
    start = change("model.vision", str(recipe.vision) if recipe.vision_steps else "")
    return _trained(recipe, 0, recipe.steps, start)


def _refine(recipe: MetaWorldRecipe, round_: int) -> Job:
    start = refining(recipe.checkpoint(round_ - 1), round_)
    return _trained(recipe, round_, recipe.round_steps, *start)


def _trained(recipe: MetaWorldRecipe, round_: int, steps: int, *start: str) -> Job:
    run, data = recipe.run(round_), [recipe.data]
    data += [recipe.visited(earlier) for earlier in range(1, round_ + 1)]
    changes = [
        change("output", str(run)),
        change("datasets", [{"path": str(path)} for path in data]),
        change("optimizer.steps", steps),
        *evaluating(data),
        *start,
        change("compile", has_compiler() and steps >= WORTH_COMPILING),
    ]
    resume = (run / "train.json").is_file()
    training = work.Training(load_config(recipe.config, changes), resume=resume)
    return Job(work.train, training, ONE_THREAD, recipe.processes)


def _score(recipe: MetaWorldRecipe) -> Job:
    asked = MetaWorldEvaluation(
        policy=str(recipe.checkpoint(recipe.rounds)),
        tasks=recipe.tasks,
        episodes=recipe.score_episodes,
        seed=recipe.score_seed,
        steps=recipe.score_steps,
        workers=recipe.processes,
        threads=1,
        videos="",
        out=recipe.score,
    )
    return Job(work.score_on_metaworld, asked, ONE_THREAD)
