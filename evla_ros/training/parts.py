# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Open what a run needs from its configuration; errors are raised before the first step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tokenizers import Tokenizer

from evla_ros.data.camera_shapes import Shapes, joined, other_aspects
from evla_ros.embodiment import Embodiment, action_layout
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.processor import Processor
from evla_ros.model.safe_files import read_safetensors
from evla_ros.settings_errors import Problem
from evla_ros.training.config import ModelSettings, TrainConfig
from evla_ros.training.errors import TrainingError
from evla_ros.training.initial_model.from_checkpoint import model_from_checkpoint
from evla_ros.training.initial_model.from_preset import model_from_preset
from evla_ros.training.initial_model.initial_model import Held, InitialModel
from evla_ros.training.initial_model.robot_contract import (
    contract_problems,
    find_robot,
    other_versions,
)
from evla_ros.training.initial_model.robot_shape import RobotShape, robot_shape
from evla_ros.training.samples.source import Source
from evla_ros.training.samples.sources import open_held_out, open_training
from evla_ros.training.samples.statistics import choose_statistics, narrow_notes
from evla_ros.training.unused_settings import (
    frozen_at_random,
    unused_settings,
    unused_with_data,
    unused_with_network,
)

Tell = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Parts:
    """What a run is made of.

    Attributes:
        model: The network.
        tokenizer: Its text tokenizer.
        origin: Where its weights come from, in words.
        processor: Turns observations into the network's input.
        statistics: Normalise actions and proprioception.
        robot: The robot that the checkpoint is for, if known.
        train: The datasets to learn from.
        val: The held-out splits.
        notes: Sentences about what was decided automatically, to be printed before the first step.
        cameras: The sizes in which the cameras were recorded, where the datasets know them.
        fresh: Parts of a started checkpoint that have random weights.
    """

    model: EvlaModel
    tokenizer: Tokenizer
    origin: str
    processor: Processor
    statistics: DatasetStatistics
    robot: Embodiment | None
    train: tuple[Source, ...]
    val: tuple[Source, ...]
    notes: tuple[str, ...] = ()
    cameras: Shapes = field(default_factory=dict)
    fresh: tuple[str, ...] = ()

    @property
    def embodiment_text(self) -> str | None:
        """The YAML text of the robot, if known."""
        return self.robot.text if self.robot else None

    @property
    def samples(self) -> int:
        """How many steps there are to learn from."""
        return sum(len(source) for source in self.train)

    @property
    def holds_out(self) -> bool:
        """Whether something is held out to score on."""
        return bool(self.val)

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names of the action's numbers; a0, a1, ... where no robot is known."""
        if self.robot:
            return action_layout(self.robot).names
        return tuple(f"a{number}" for number in range(self.model.config.action.dim))

    @property
    def action_units(self) -> tuple[str, ...]:
        """Units of the action's numbers; empty where no robot is known."""
        return action_layout(self.robot).units if self.robot else ()


def silent(_: str) -> None:
    """Tell nobody."""


def build(
    config: TrainConfig, *, resume: bool = False, tell: Tell = silent, held: Held = "whole"
) -> Parts:
    """Open and check the data, then build the model for it.

    Args:
        config: The settings of the run.
        resume: The run was checked when it began: what a newer version refuses is only a note.
        tell: Is told what is done now and may take a while.
        held: What this process holds of the network, see `Held`.

    Raises:
        TrainingError: The data cannot be learned from, the robot would refuse the checkpoint, or a
            setting would have no effect.
    """
    notes = _judged(unused_settings(config), resume=resume)
    tell("opening the datasets")
    train, left_out = open_training(config, tell)
    notes += left_out
    val = open_held_out(config, train, resume=resume)
    notes += _judged(unused_with_data(config, train, bool(val)), resume=resume)
    robot = find_robot(config, train)
    notes += _judged(contract_problems(config, robot, train), resume=resume)
    shape = robot_shape(config, train, robot)
    if resume:  # the checkpoint says how its pictures are cropped
        shape = replace(shape, center_crop=False)
    tell("building the network")
    made = _initial_model(config.model, shape, config.seed, train, held)
    model = made.model
    notes += made.notes
    notes += _judged(unused_with_network(config, model.config), resume=resume)
    notes += _judged(frozen_at_random(config, made.fresh), resume=resume)
    tell("checking every episode")
    for source in (*train, *val):
        source.check(
            shape.dim,
            model.config.proprio_dim,
            model.config.image.cameras,
            black_cameras=config.data.missing_cameras == "black",
        )
        notes += source.notes
    if config.model.proprio and not shape.proprio_dim:
        notes.append(f"dataset {train[0].name!r} has no proprioception: the network reads none")
    if not val:
        notes.append("nothing is held out: no evaluation, and no checkpoint `best`")
    notes += other_versions(robot, train)
    statistics = choose_statistics(train, config.statistics, robot)
    parts = Parts(
        model,
        made.tokenizer,
        made.origin,
        Processor(model.config, made.tokenizer),
        statistics,
        robot,
        train,
        val,
        cameras=joined(source.dataset.cameras for source in train),
        fresh=made.fresh,
    )
    notes += narrow_notes(train, parts.action_names)
    notes += _aspect_notes(train)
    notes += _choice_note(statistics, robot)
    return replace(parts, notes=tuple(notes))


def _initial_model(
    settings: ModelSettings, shape: RobotShape, seed: int, train: Iterable[Source], held: Held
) -> InitialModel:
    if settings.start:
        made = model_from_checkpoint(settings, shape, seed, held)
    else:
        instructions = {text for source in train for text in source.instructions()}
        made = model_from_preset(settings, shape, seed, instructions, held)
    if not settings.vision:
        return made
    if held != "shapes":
        _load_vision(made.model, settings.vision)
    return replace(made, origin=f"{made.origin}; encoders from {settings.vision}")


def _choice_note(statistics: DatasetStatistics, robot: Embodiment | None) -> list[str]:
    """Return a note when a robot has to be told which statistics to use."""
    keys = list(statistics.datasets)
    if len(keys) == 1 or (robot and robot.name in keys):
        return []
    text = (
        f"the checkpoint will hold statistics of {', '.join(keys)}; a robot has to name one: "
        "parameter `statistics` of the policy node, or `evla export --statistics NAME`"
    )
    return [text]


def _aspect_notes(train: Sequence[Source]) -> list[str]:
    """Return a sentence for each camera that was recorded in several aspect ratios."""
    first = train[0]
    return [
        f"{odd}: both are seen at one size, so that one looks stretched"
        for other in train[1:]
        for odd in other_aspects(
            other.dataset.cameras, first.dataset.cameras, other.name, first.name
        )
    ]


def _judged(found: Iterable[Problem], *, resume: bool) -> list[str]:
    problems = [str(problem) for problem in found]
    if problems and not resume:
        raise TrainingError("\n".join(problems))
    return problems


def _load_vision(model: EvlaModel, file: str) -> None:
    """Load the encoder weights of `model.vision` into the network."""
    try:
        model.backbones.load_state_dict(read_safetensors(Path(file)))
    except RuntimeError as error:
        first = str(error).splitlines()[-1].strip()
        raise TrainingError(
            f"model.vision: {file} does not hold the encoders of {model.config.name} ({first}); "
            "make it with `evla train vision` for the same preset"
        ) from error
