# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recipe for Meta-World as stages: collect, vision, finetune, score.

The encoder first learns where things are, then everything learns together.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from evla_ros.machine import has_compiler
from evla_ros.recipes import work
from evla_ros.recipes.datasets import change, collecting, evaluating, is_dataset
from evla_ros.recipes.jobs import ONE_THREAD, Job
from evla_ros.recipes.metaworld_settings import MetaWorldRecipe
from evla_ros.recipes.nano import WORTH_COMPILING
from evla_ros.recipes.simulated_data.settings import CollectJob, CollectSettings
from evla_ros.recipes.stages import Stage, StageTimes, run_stages
from evla_ros.recipes.vision_config import VisionConfig
from evla_ros.sim.benchmarks.metaworld.environment import INSTALL
from evla_ros.sim.benchmarks.metaworld.settings import PICTURE_PX, MetaWorldEvaluation
from evla_ros.sim.benchmarks.metaworld.tasks import ALL, tasks_of
from evla_ros.sim.benchmarks.metaworld.world import DESCRIPTION
from evla_ros.training.config_file import load_config
from evla_ros.training.errors import TrainingError

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
    return recipe.checkpoint


def stages_of(recipe: MetaWorldRecipe) -> list[Stage]:
    """Return the stages in order, without those of size 0."""
    stages = [Stage("collect", lambda: [_collect(recipe)], lambda: is_dataset(recipe.data))]
    if recipe.vision_steps:
        stages.append(Stage("vision", lambda: [_vision(recipe)], recipe.vision.is_file))
    stages.append(Stage("finetune", lambda: [_finetune(recipe)], lambda: _finished(recipe)))
    if recipe.score_episodes:
        report = recipe.score / "report.json"
        stages.append(Stage("score", lambda: [_score(recipe)], report.is_file))
    return stages


def _finished(recipe: MetaWorldRecipe) -> bool:
    from evla_ros.training.checkpointing import states

    found = states(recipe.run)
    return bool(found) and int(found[-1].name.removeprefix("step-")) >= recipe.steps


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
    changes = [
        change("output", str(recipe.run)),
        change("datasets", [{"path": str(recipe.data)}]),
        change("optimizer.steps", recipe.steps),
        *evaluating([recipe.data]),
        change("model.vision", str(recipe.vision) if recipe.vision_steps else ""),
        change("compile", has_compiler() and recipe.steps >= WORTH_COMPILING),
    ]
    resume = (recipe.run / "train.json").is_file()
    training = work.Training(load_config(recipe.config, changes), resume=resume)
    return Job(work.train, training, ONE_THREAD, recipe.processes)


def _score(recipe: MetaWorldRecipe) -> Job:
    asked = MetaWorldEvaluation(
        policy=str(recipe.checkpoint),
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
