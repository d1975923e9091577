# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One simulated demonstration, with counterfactual labels and object places at its steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from evla_ros.data.episode import Episode, rlds_flags
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.rlds.features import (
    DatasetFeatures,
    Feature,
    features_for_embodiment,
    scalar,
    tensor,
    text,
)
from evla_ros.policy.types import Observation
from evla_ros.recipes.simulated_data.objects import object_columns, object_names
from evla_ros.recipes.simulated_data.relabel import draw_tasks, relabel
from evla_ros.recipes.simulated_data.settings import CollectSettings
from evla_ros.sim.experts.rollout import noisy
from evla_ros.sim.experts.style import Style
from evla_ros.sim.tasks.task import Task
from evla_ros.sim.world import World
from evla_ros.training.errors import TrainingDataError
from evla_ros.training.samples.sample import pixels_column

ATTEMPTS, ATTEMPT_STRIDE = 5, 100_000_000
Actor = Callable[[Observation], npt.NDArray[np.float64]]


@dataclass
class _Columns:
    images: dict[str, list[bytes]] = field(default_factory=dict)
    state: list[npt.NDArray[np.float32]] = field(default_factory=list)
    action: list[npt.NDArray[np.float64]] = field(default_factory=list)
    extra: dict[str, list[Any]] = field(default_factory=dict)

    def add(self, name: str, value: Any) -> None:
        self.extra.setdefault(name, []).append(value)


def collect_features(world: World, image_size: int, settings: CollectSettings) -> DatasetFeatures:
    """Return the columns and metadata of the episodes that `collect_episode` makes."""
    shape, count = (settings.chunk, world.action_dim), len(object_names(world))
    columns: dict[str, Feature] = {
        **{
            pixels_column(camera): tensor(
                (count, 2), "float32", f"right, down in 0..1 in {camera}; -1 when not seen"
            )
            for camera in settings.cameras
        },
        "object_positions": tensor(
            (count, 3), "float32", "metres in base_frame; -1 where none of these shows it"
        ),
    }
    for i in range(settings.relabels + 1):
        columns[f"relabel_instruction_{i}"] = text("An instruction that was not followed.")
        columns[f"relabel_actions_{i}"] = tensor(shape, "float32", "What answers it from here.")
        columns[f"relabel_steps_{i}"] = scalar("int32", "Valid rows of it; 0: none.")
    metadata = {
        "world": text(),
        "seed": scalar("int64"),
        "task_family": text(),
        "object_names": text("Separated by |, in the order of the object columns."),
        "collected_by": text("expert, or the policy that visited these states."),
        "follows_instruction": scalar(
            "bool", "False: `action` is not an answer to its instruction."
        ),
    }
    return features_for_embodiment(world.embodiment, image_size, columns, metadata)


def collect_episode(
    world: World,
    seed: int,
    settings: CollectSettings,
    actor: Actor | None = None,
    task: str | None = None,
    attempt: int = 0,
) -> Episode:
    """Play one episode; with the expert, a seed gives the same episode every time.

    Args:
        world: the simulated world.
        seed: seed of the start state, of the wording and of the noise.
        settings: how the demonstration is made.
        actor: a policy that acts instead of the expert. The column `action` is then what it did,
            and relabel 0 is the expert's answer to its instruction. Without an actor the expert
            acts with noise, and `action` is what it would have done without.
        task: a task family; None lets the seed draw one.
        attempt: 0, or which further scene is played under this number because the expert failed.
    """
    drawn = seed + attempt * ATTEMPT_STRIDE
    rng = np.random.default_rng([drawn, 77])
    chosen = world.suite.grammar.reworded(world.reset(drawn, task), rng)
    style = Style.sample(rng, noise=float(rng.uniform(0.0, settings.noise)))
    expert = world.suite.expert(world, chosen, style)
    columns = _Columns()
    solved, success = 0, False
    for tick in range(settings.max_ticks or world.most_ticks):
        observation = world.observe(chosen.instruction)
        _observe(columns, world, observation, settings)
        labelled = tick % settings.every == 0
        _relabel(
            columns,
            world,
            chosen,
            Style() if settings.one_style else style,
            settings,
            rng,
            labelled=labelled,
            own=settings.own or actor is not None,
        )
        label = expert.act() if actor is None else actor(observation)
        columns.action.append(label)
        world.apply(noisy(label, style, rng, world.columns) if actor is None else label)
        world.tick()
        solved = solved + 1 if world.succeeded(chosen) else 0
        success = success or solved > 0
        if solved >= settings.after_success:
            break
    by = "expert" if actor is None else "policy"
    keep = success or actor is not None  # a policy's failures are what it has to learn from
    number = f"{seed:08d}"
    return _episode(columns, world, chosen, (number, drawn), by, success=bool(keep))


def demonstrate(
    world: World, seed: int, settings: CollectSettings, actor: Actor | None, task: str | None
) -> Episode:
    """Play an episode; where only successes count, the expert gets other scenes after a failure.

    Raises TrainingDataError when it fails in all of them.
    """
    attempts = ATTEMPTS if world.suite.equal_shares and actor is None else 1
    for attempt in range(attempts):
        episode = collect_episode(world, seed, settings, actor, task, attempt)
        if episode.metadata["success"] or attempts == 1:
            return episode
    raise TrainingDataError(
        f"the expert failed at {task} in {attempts} scenes (seed {seed}); less --noise may help"
    )


def _observe(
    columns: _Columns, world: World, observation: Observation, settings: CollectSettings
) -> None:
    for camera, image in observation.images.items():
        columns.images.setdefault(f"image_{camera}", []).append(encode_jpeg(image))
    columns.state.append(observation.proprio)
    for name, values in object_columns(world, settings.cameras).items():
        columns.add(name, values)


def _relabel(
    columns: _Columns,
    world: World,
    task: Task,
    style: Style,
    settings: CollectSettings,
    rng: np.random.Generator,
    *,
    labelled: bool,
    own: bool,
) -> None:
    others = (settings.relabels, rng, settings.relabel_families)
    tasks = draw_tasks(world, task, *others) if labelled else []
    answers = [task, *tasks] if own and labelled else tasks
    for i in range(settings.relabels + 1):
        answer = relabel(world, answers[i], style, settings.chunk) if i < len(answers) else None
        nothing = np.zeros((settings.chunk, world.action_dim), dtype=np.float32)
        columns.add(f"relabel_instruction_{i}", answer.instruction if answer else "")
        columns.add(f"relabel_actions_{i}", answer.actions if answer else nothing)
        columns.add(f"relabel_steps_{i}", np.int32(settings.chunk if answer else 0))


def _episode(
    columns: _Columns,
    world: World,
    task: Task,
    number_and_seed: tuple[str, int],
    by: str,
    *,
    success: bool,
) -> Episode:
    steps = len(columns.action)
    name = world.description.name
    number, seed = number_and_seed
    metadata: Mapping[str, Any] = {
        "episode_id": f"{name}-{by}-{number}",
        "success": success,
        "world": name,
        "seed": seed,
        "task_family": task.family,
        "object_names": "|".join(object_names(world)),
        "collected_by": by,
        "follows_instruction": by == "expert",
    }
    extra = {
        key: np.asarray(values, dtype=object if isinstance(values[0], str) else values[0].dtype)
        for key, values in columns.extra.items()
    }
    return Episode(
        images=columns.images,
        observations={"state": np.stack(columns.state)},
        action=np.stack(columns.action).astype(np.float32),
        instructions=[task.instruction] * steps,
        columns={**rlds_flags(steps, terminal=success), **extra},
        metadata=metadata,
    )
