# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A fresh network of a preset, and a tokenizer trained on the words of the datasets."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.instruction_corpus import instruction_corpus
from evla_ros.model.presets import load_preset
from evla_ros.model.text_tokenizer import train_tokenizer
from evla_ros.training.config import ModelSettings
from evla_ros.training.initial_model.initial_model import Held, InitialModel
from evla_ros.training.initial_model.robot_shape import RobotShape

DEFAULT_PRESET = "evla-nano"


def model_from_preset(
    settings: ModelSettings,
    shape: RobotShape,
    seed: int,
    instructions: Iterable[str],
    held: Held = "whole",
) -> InitialModel:
    """Return a network with random weights, and a tokenizer that knows the instructions.

    Args:
        settings: The settings of the run.
        shape: The sizes that the network has to have.
        seed: Draws the weights.
        instructions: The instructions of the datasets.
        held: `shapes` draws nothing.

    Raises:
        ModelConfigError: The preset does not exist or does not fit the settings.
    """
    config = load_preset(
        settings.preset or DEFAULT_PRESET,
        chunk=shape.chunk,
        dim=shape.dim,
        cameras=shape.cameras or shape.robot_cameras or None,
        proprio_dim=shape.proprio_dim,
        arm_columns=shape.arm_columns,
        action=settings.action.model_dump(exclude_none=True),
        center_crop=shape.center_crop or None,
    )
    torch.manual_seed(seed)
    with torch.device("meta" if held == "shapes" else "cpu"):
        model = EvlaModel(config)
    template = config.prompt.template
    corpus = [
        *instruction_corpus(template),
        *(template.format(instruction=text) for text in sorted(set(instructions))),
    ]
    rows = config.action.vocabulary_size - config.action.bins
    origin = f"RANDOM: a fresh {config.name} knows nothing yet; --start CHECKPOINT begins with "
    origin += "trained weights"
    return InitialModel(model, train_tokenizer(corpus, rows), origin)
