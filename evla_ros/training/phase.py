# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the two phases of training differ in: the data, the loss and the words of the reports.

Phase 1 learns answers in text from pictures with conversations, phase 2 actions from robots'
datasets. The loop, the optimiser, the ranks and the saved states are one trainer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Protocol

import torch
from tokenizers import Tokenizer
from torch import nn

from evla_ros.data.camera_shapes import Shapes
from evla_ros.embodiment import Embodiment
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.training.distributed import ProcessGroup
from evla_ros.training.initial_model.initial_model import Held
from evla_ros.training.objective.objective import Objective, SampleSource
from evla_ros.training.step_cost import Cost


class RunParts(Protocol):
    """What a run is made of, opened and checked."""

    @property
    def model(self) -> EvlaModel:
        """The network."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Its text tokenizer."""

    @property
    def statistics(self) -> DatasetStatistics:
        """What normalises actions and proprioception."""

    @property
    def robot(self) -> Embodiment | None:
        """The robot that the checkpoint is for, if known."""

    @property
    def embodiment_text(self) -> str | None:
        """The YAML text of that robot."""

    @property
    def cameras(self) -> Shapes:
        """The sizes in which the cameras were recorded, where the datasets know them."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what was decided automatically."""

    @property
    def fresh(self) -> tuple[str, ...]:
        """Parts of a started checkpoint that have random weights."""

    @property
    def action_names(self) -> tuple[str, ...]:
        """Names of the action's numbers; empty where no actions are learned."""

    @property
    def action_units(self) -> tuple[str, ...]:
        """Their units; empty where they are not known."""

    @property
    def samples(self) -> int:
        """How many samples there are to learn from."""

    @property
    def holds_out(self) -> bool:
        """Whether something is held out to score on."""


class Phase(Protocol):
    """One phase of training."""

    @property
    def command(self) -> str:
        """The command that users type, such as `evla train finetune`."""

    @property
    def module(self) -> str:
        """The module that torchrun starts."""

    @property
    def best_means(self) -> str:
        """What the checkpoint `best` is, in words."""

    @property
    def score_is(self) -> str:
        """What the score of an evaluation is, in words."""

    def workers(self, config: Any) -> int | None:
        """Return how many processes make batches."""

    def build(
        self, config: Any, *, resume: bool, tell: Callable[[str], None], held: Held
    ) -> RunParts:
        """Open and check the data, then build the network, of which a process holds `held`."""

    def with_rates(self, config: Any, model: nn.Module) -> Any:
        """Return the settings with a learning rate in place of 0."""

    def trainable(
        self, parts: Any, config: Any, group: ProcessGroup, fresh: Collection[str]
    ) -> dict[str, nn.Module]:
        """Freeze or adapt the network in place; returns it (`model`) and its training heads."""

    def streams(
        self,
        parts: Any,
        config: Any,
        group: ProcessGroup,
        tell: Callable[[str], None],
    ) -> tuple[SampleSource, SampleSource | None]:
        """Return the samples to learn from, and those that are held out."""

    def watched(self, config: Any, stream: Iterator[Any]) -> Iterator[Any]:
        """Return the batches of a rank; what is wrong with them is said on the way."""

    def objective(self, parts: Any, config: Any, modules: Mapping[str, nn.Module]) -> Objective:
        """Return what is learned."""

    def accuracy(self, parts: Any) -> str:
        """Return the name of the share of right tokens, see `metrics.accuracy_name`."""

    def evaluate(
        self, parts: Any, stream: Any, config: Any, group: ProcessGroup
    ) -> tuple[dict[str, dict[str, Any]], float]:
        """Score the network on what is held out.

        Returns:
            What is reported by dataset, and the score that decides which checkpoint is best.
        """

    def screen(
        self, config: Any, parts: Any, cost: Cost, first_step: int, device: torch.device
    ) -> str:
        """Return what a run is about to do, in words."""

    def next_commands(self, config: Any, parts: Any, checkpoint: str, world: str) -> list[str]:
        """Return the commands that come after the run."""
