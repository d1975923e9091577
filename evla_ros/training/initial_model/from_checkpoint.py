# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network of a checkpoint, moved to this robot and to the settings of this run."""

from __future__ import annotations

from pathlib import Path

import torch

from evla_ros.embodiment import parse_embodiment
from evla_ros.model.checkpoint import Checkpoint, load_checkpoint
from evla_ros.model.config import ActionConfig, EvlaConfig
from evla_ros.training.config import ActionSettings, ModelSettings
from evla_ros.training.errors import TrainingError
from evla_ros.training.initial_model.initial_model import Held, InitialModel
from evla_ros.training.initial_model.robot_shape import RobotShape
from evla_ros.training.model_changes.transplant import (
    adapted_config,
    fresh_names,
    fresh_parts,
    transplant,
)

TRAINED_IN = ("bins", "vocabulary_size")  # the action tokens' rows of the embedding table


def model_from_checkpoint(
    settings: ModelSettings, shape: RobotShape, seed: int, held: Held = "whole"
) -> InitialModel:
    """Return the network of `settings.start`, with what does not fit the robot made new.

    The settings of `model.action` win over the checkpoint's. So does the robot's chunk, and so do
    its cameras, unless the checkpoint was made for this very robot.

    Args:
        settings: The settings of the run.
        shape: The sizes that the network has to have.
        seed: Draws the weights of what is new.
        held: `whole` copies the weights, else they stay in their file.

    Raises:
        TrainingError: The weights cannot follow a setting.
        CheckpointError: The checkpoint cannot be loaded.
    """
    torch.manual_seed(seed)
    start = settings.start
    refuse_run_folder(start)
    loaded = load_checkpoint(start)
    old = loaded.config
    _refuse_trained_in(settings.action, old.action, start)
    config = adapted_config(
        old,
        chunk=shape.chunk or old.action.chunk,
        dim=shape.dim,
        cameras=_cameras(loaded, shape),
        proprio_dim=shape.proprio_dim,
        arm_columns=shape.arm_columns,
        action=settings.action.model_dump(exclude_none=True),
        center_crop=shape.center_crop or old.image.center_crop,
        source=f"model.action over {start}",
    )
    model = transplant(loaded.model, config, copy=held == "whole")
    fresh = fresh_parts(loaded.model, config)
    origin = start + (f"; RANDOM, because the robot or its heads differ: {fresh}" if fresh else "")
    if old.untrained:
        origin += f"; RANDOM, because no part brought them: {', '.join(old.untrained)}"
    names = dict.fromkeys((*old.untrained, *fresh_names(loaded.model, config)))
    tokenizer = loaded.processor.prompt_builder.tokenizer
    notes = (
        *_action_changes(old.action, config.action, start),
        *_image_changes(old, config, start),
    )
    return InitialModel(model, tokenizer, origin, notes, tuple(names))


def _cameras(loaded: Checkpoint, shape: RobotShape) -> tuple[str, ...]:
    """Return the cameras of the run: those of the settings, the checkpoint or the robot."""
    if shape.cameras:
        return shape.cameras
    known, text = loaded.config.image.cameras, loaded.embodiment_text
    if shape.robot is None:
        return known
    own = parse_embodiment(text, source="embodiment.yaml").name if text else ""
    if own == shape.robot.name and set(known) <= set(shape.robot_cameras):
        return known
    return shape.robot_cameras


def _action_changes(old: ActionConfig, new: ActionConfig, start: str) -> list[str]:
    """Return a note on every setting of the run that the checkpoint was trained without."""
    keys = [key for key in ActionSettings.model_fields if getattr(old, key) != getattr(new, key)]
    return [
        f"model.action.{key}: {getattr(new, key)} changes what the checkpoint {start} learned with "
        f"({getattr(old, key)})"
        for key in keys
    ]


def _image_changes(old: EvlaConfig, new: EvlaConfig, start: str) -> list[str]:
    """Return a note when the network is to look at other cameras or parts of their pictures."""
    found = []
    if old.image.cameras != new.image.cameras:
        found.append(
            f"cameras {', '.join(new.image.cameras)}: the checkpoint {start} looked at "
            f"{', '.join(old.image.cameras)}"
        )
    if old.image.center_crop != new.image.center_crop:
        found.append(
            f"data.augment: the checkpoint {start} saw whole pictures; it is now trained on random "
            "crops and served the centre"
        )
    return found


def refuse_run_folder(start: str) -> None:
    """Raise TrainingError when `start` is the folder of a run instead of a checkpoint in it."""
    checkpoints = [f"{start}/{name}" for name in ("best", "last") if (Path(start) / name).is_dir()]
    if checkpoints and not (Path(start) / "config.json").is_file():
        raise TrainingError(
            f"model.start: {start!r} is the folder of a run; name a checkpoint in it: "
            f"{' or '.join(checkpoints)}"
        )


def _refuse_trained_in(settings: ActionSettings, trained: ActionConfig, start: str) -> None:
    for key in TRAINED_IN:
        asked, has = getattr(settings, key), getattr(trained, key)
        if asked not in (None, has):
            raise TrainingError(
                f"model.action.{key}: {asked} cannot be had from {start!r}, whose action tokens "
                f"were trained with {has}; leave it out, or begin with a preset"
            )
