# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recipe for Meta-World as stages: collect, vision, finetune, refine, score.

The encoder first learns where things are. Then the policy learns on its kept features, which is
cheap, and at the end everything learns together.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path

from evla_ros.machine import has_compiler
from evla_ros.recipes import work
from evla_ros.recipes.datasets import IMAGE_SIZE, change, collecting, evaluating, is_dataset
from evla_ros.recipes.jobs import ONE_THREAD, Job
from evla_ros.recipes.metaworld_settings import MetaWorldRecipe
from evla_ros.recipes.nano import WORTH_COMPILING
from evla_ros.recipes.simulated_data.settings import CollectJob, CollectSettings
from evla_ros.recipes.stages import Stage, StageTimes, run_stages
from evla_ros.recipes.vision_config import VisionConfig
from evla_ros.sim.benchmarks.metaworld.environment import INSTALL
from evla_ros.sim.benchmarks.metaworld.settings import MetaWorldEvaluation
from evla_ros.sim.benchmarks.metaworld.tasks import ALL, tasks_of
from evla_ros.training.config_file import load_config
from evla_ros.training.errors import TrainingError

REFINING_RATE = 3e-4


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
    return recipe.checkpoint(recipe.runs[-1])


def stages_of(recipe: MetaWorldRecipe) -> list[Stage]:
    """Return the stages in order, without those of size 0."""
    first, last = recipe.runs[0], recipe.runs[-1]
    stages = [Stage("collect", lambda: [_collect(recipe)], lambda: is_dataset(recipe.data))]
    if recipe.vision_steps:
        stages.append(Stage("vision", lambda: [_vision(recipe)], recipe.vision.is_file))
    stages.append(
        Stage("finetune", lambda: [_finetune(recipe)], lambda: _finished(first, recipe.steps))
    )
    if recipe.refine_steps:
        stages.append(
            Stage("refine", lambda: [_refine(recipe)], lambda: _finished(last, recipe.refine_steps))
        )
    if recipe.score_episodes:
        report = recipe.score / "report.json"
        stages.append(Stage("score", lambda: [_score(recipe)], report.is_file))
    return stages


def _finished(run: Path, steps: int) -> bool:
    from evla_ros.training.checkpointing import states

    found = states(run)
    return bool(found) and int(found[-1].name.removeprefix("step-")) >= steps


def _collect(recipe: MetaWorldRecipe) -> Job:
    tasks = tasks_of(recipe.tasks or [ALL])
    job = CollectJob(
        world="metaworld",
        episodes=len(tasks) * recipe.demonstrations,
        image_size=IMAGE_SIZE,
        settings=CollectSettings(relabels=0, noise=recipe.noise),
        families=tasks,
        one_by_one=True,
    )
    return collecting(job, recipe.data, recipe.processes)


def _vision(recipe: MetaWorldRecipe) -> Job:
    preset = load_config(recipe.config).model.preset
    config = VisionConfig(
        recipe.vision.parent, (recipe.data,), preset=preset, steps=recipe.vision_steps
    )
    return Job(work.pretrain_encoders, config, ONE_THREAD, recipe.processes)


def _finetune(recipe: MetaWorldRecipe) -> Job:
    frozen = [change("freeze", ["vision"]), change("cache_features", value=True)]
    changes = [change("model.vision", str(recipe.vision)), *frozen]
    if not recipe.vision_steps:  # an encoder that knows nothing has to learn with the rest
        changes = [change("model.vision", "")]
    return _trained(recipe, recipe.runs[0], changes, recipe.steps)


def _refine(recipe: MetaWorldRecipe) -> Job:
    changes = [
        change("model.start", str(recipe.checkpoint(recipe.runs[0]))),
        change("model.vision", ""),
        change("model.preset", ""),
        change("seed", 1),
        change("optimizer.learning_rate", REFINING_RATE),
    ]
    return _trained(recipe, recipe.runs[1], changes, recipe.refine_steps)


def _trained(recipe: MetaWorldRecipe, run: Path, more: Sequence[str], steps: int) -> Job:
    changes = [
        change("output", str(run)),
        change("datasets", [{"path": str(recipe.data)}]),
        change("optimizer.steps", steps),
        *evaluating([recipe.data]),
        *more,
        change("compile", has_compiler() and steps >= WORTH_COMPILING),
    ]
    resume = (run / "train.json").is_file()
    training = work.Training(load_config(recipe.config, changes), resume=resume)
    return Job(work.train, training, ONE_THREAD, recipe.processes)


def _score(recipe: MetaWorldRecipe) -> Job:
    asked = MetaWorldEvaluation(
        policy=str(recipe.checkpoint(recipe.runs[-1])),
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
