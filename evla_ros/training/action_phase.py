# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Phase 2 of training: actions from the datasets of robots."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import torch
from torch import nn

from evla_ros.training.config import TrainConfig
from evla_ros.training.distributed import ProcessGroup
from evla_ros.training.evaluation.evaluate import evaluate, score_of
from evla_ros.training.initial_model.initial_model import Held
from evla_ros.training.metrics import accuracy_name
from evla_ros.training.model_changes.trainable import trainable_modules
from evla_ros.training.objective.forward import ActionObjective
from evla_ros.training.opening_screen import opening_screen
from evla_ros.training.parts import Parts, build
from evla_ros.training.preparing import with_learning_rate
from evla_ros.training.reporting import BEST_MEANS, next_commands
from evla_ros.training.samples.batch import Batch
from evla_ros.training.samples.loader import SampleStream
from evla_ros.training.samples.streams import run_streams
from evla_ros.training.step_cost import Cost


class ActionPhase:
    """The parts of `Phase` for actions."""

    command = "evla train finetune"
    module = "evla_ros.training.train"
    best_means = BEST_MEANS
    score_is = "mean error"

    def workers(self, config: TrainConfig) -> int | None:
        """Return how many processes decode pictures."""
        return config.data.workers

    def build(
        self, config: TrainConfig, *, resume: bool, tell: Callable[[str], None], held: Held
    ) -> Parts:
        """Open the datasets and build the network for their robot."""
        return build(config, resume=resume, tell=tell, held=held)

    def with_rates(self, config: TrainConfig, model: nn.Module) -> TrainConfig:
        """Return the settings with a learning rate in place of 0."""
        return with_learning_rate(config, model)

    def trainable(
        self, parts: Parts, config: TrainConfig, group: ProcessGroup, fresh: Collection[str]
    ) -> dict[str, nn.Module]:
        """Freeze or adapt the network; returns it and the heads of the grounding loss."""
        return trainable_modules(parts.model, config, group, fresh)

    def streams(
        self,
        parts: Parts,
        config: TrainConfig,
        group: ProcessGroup,
        tell: Callable[[str], None],
    ) -> tuple[SampleStream, SampleStream | None]:
        """Return the samples to learn from and the held-out ones, with cached features if asked."""
        return run_streams(parts, config, parts.model, group, tell)

    def watched(self, config: TrainConfig, stream: Iterator[Batch]) -> Iterator[Batch]:  # noqa: ARG002
        """Return the batches as they are: every episode was checked before the first step."""
        return stream

    def objective(
        self, parts: Parts, config: TrainConfig, modules: Mapping[str, nn.Module]
    ) -> ActionObjective:
        """Return the losses of the action heads and of grounding."""
        return ActionObjective(parts.model, config, modules)

    def accuracy(self, parts: Parts) -> str:
        """Return the name of the share of right action tokens."""
        return accuracy_name(parts.model.config.action.decode)

    def evaluate(
        self,
        parts: Parts,
        stream: SampleStream,
        config: TrainConfig,
        group: ProcessGroup,
    ) -> tuple[dict[str, dict[str, Any]], float]:
        """Score the network on the held-out splits; the score is the mean error of a number."""
        found = evaluate(parts.model, stream, config, parts.action_names, group)
        return found, score_of(found)

    def screen(
        self,
        config: TrainConfig,
        parts: Parts,
        cost: Cost,
        first_step: int,
        device: torch.device,
    ) -> str:
        """Return the data, the robot, the network, the cost and the files of a run."""
        return opening_screen(config, parts, cost, first_step, device)

    def next_commands(
        self, config: TrainConfig, parts: Parts, checkpoint: str, world: str
    ) -> list[str]:
        """Return the commands that score a checkpoint and put it on its robot."""
        return next_commands(config, parts, checkpoint, world)
