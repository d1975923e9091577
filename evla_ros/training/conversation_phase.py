# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Phase 1 of training: answers in text, from pictures with conversations."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from evla_ros.training.conversation_parts import CONVERSATIONS, ConversationParts, build, learns
from evla_ros.training.conversation_screen import conversation_screen
from evla_ros.training.distributed import ProcessGroup
from evla_ros.training.errors import TrainingDataError
from evla_ros.training.initial_model.initial_model import Held
from evla_ros.training.metrics import TAUGHT
from evla_ros.training.model_changes.trainable import recompute_activations
from evla_ros.training.objective.next_token import TextObjective, score
from evla_ros.training.preparing import with_learning_rate
from evla_ros.training.pretrain_config import PretrainConfig
from evla_ros.training.samples.conversation_file import ConversationFile
from evla_ros.training.samples.conversation_stream import ConversationStream, TextBatch
from evla_ros.training.step_cost import Cost

ALIGN_RATE = 1e-3  # of the projector alone, in Prismatic VLMs and LLaVA
HELD_OUT = "held out"
_EVALUATION_SEED = 12345
_SAID = 10  # broken pictures that are named while the run goes on


class ConversationPhase:
    """The parts of `Phase` for conversations."""

    command = "evla train pretrain"
    module = "evla_ros.training.pretrain"
    best_means = "best: the smallest loss of a token of the held-out answers"
    score_is = "loss of a token"

    def workers(self, config: PretrainConfig) -> int | None:
        """Return how many processes make batches."""
        return config.data.workers

    def build(
        self, config: PretrainConfig, *, resume: bool, tell: Callable[[str], None], held: Held
    ) -> ConversationParts:
        """Read the conversations and build the network."""
        return build(config, resume=resume, tell=tell, held=held)

    def with_rates(self, config: PretrainConfig, model: nn.Module) -> PretrainConfig:
        """Return the settings with a learning rate in place of 0."""
        aligning = ALIGN_RATE if config.stage == "align" else 0.0
        return with_learning_rate(config, model, aligning)

    def trainable(
        self,
        parts: ConversationParts,
        config: PretrainConfig,
        group: ProcessGroup,  # noqa: ARG002 - phase 2 needs it
        fresh: Collection[str],  # noqa: ARG002
    ) -> dict[str, nn.Module]:
        """Let the parts of the stage learn, and nothing else."""
        parts.model.requires_grad_(requires_grad=False)
        for name in learns(config):
            parts.model.get_submodule(name).requires_grad_(requires_grad=True)
        recompute_activations(parts.model, config)
        return {"model": parts.model}

    def streams(
        self,
        parts: ConversationParts,
        config: PretrainConfig,
        group: ProcessGroup,
        tell: Callable[[str], None],
    ) -> tuple[ConversationStream, ConversationStream | None]:
        """Put the conversations into the folder of the run, where all processes read them."""
        folder = Path(config.output) / CONVERSATIONS
        if group.is_main and not ConversationFile.there(folder):
            tell("writing the conversations into the folder of the run")
            folder.mkdir(parents=True, exist_ok=True)
            ConversationFile.write(folder, (parts.items[i] for i in range(len(parts.items))))
        group.barrier()
        items = ConversationFile(folder)

        def stream(chosen: np.ndarray, seed: int) -> ConversationStream:
            return ConversationStream(items, chosen, parts.encoder, parts.model.config, seed)

        learned = stream(parts.learned, config.seed)
        return learned, stream(parts.held_out, _EVALUATION_SEED) if parts.holds_out else None

    def watched(self, config: PretrainConfig, stream: Iterator[TextBatch]) -> Iterator[TextBatch]:
        """Name pictures that cannot be read.

        Raises:
            TrainingDataError: There are more of them than `data.broken_share` allows.
        """
        broken = shown = 0
        for batch in stream:
            shown += batch.pictures
            for sentence in batch.broken:
                broken += 1
                if broken <= _SAID:
                    print(f"left out: {sentence}", file=sys.stderr, flush=True)
                if broken == _SAID:
                    print("further broken pictures are only counted", file=sys.stderr, flush=True)
                if broken > max(_SAID, config.data.broken_share * shown):
                    raise TrainingDataError(
                        f"{broken} of {shown} pictures are damaged, the last one: {sentence}; "
                        f"data.broken_share allows {100 * config.data.broken_share:g} %"
                    )
            yield batch

    def objective(
        self,
        parts: ConversationParts,
        config: PretrainConfig,  # noqa: ARG002
        modules: Mapping[str, nn.Module],  # noqa: ARG002
    ) -> TextObjective:
        """Return the next-token loss."""
        return TextObjective(parts.model, parts.rows)

    def accuracy(self, parts: ConversationParts) -> str:  # noqa: ARG002
        """Return the name of the share of right tokens: the true ones are fed to the network."""
        return TAUGHT

    def evaluate(
        self,
        parts: ConversationParts,
        stream: ConversationStream,
        config: PretrainConfig,
        group: ProcessGroup,
    ) -> tuple[dict[str, dict[str, Any]], float]:
        """Score the network on the held-out conversations; the score is the loss of a token."""
        part = max(1, config.optimizer.batch // group.ranks)
        enough = -(-len(stream) // (part * group.ranks))
        sums = torch.zeros(3, device=group.device)
        model, was_training = parts.model, parts.model.training
        model.eval()
        for number in range(min(config.eval_batches, enough)):
            first = (number * group.ranks + group.rank) * part
            batch = stream.batch(range(first, first + part)).to(group.device)
            sums += score(model, batch, parts.rows)
        model.train(was_training)
        loss, count, right = group.total(sums).tolist()
        each = loss / max(count, 1.0)
        return {HELD_OUT: {"loss": each, TAUGHT: right / max(count, 1.0), "l1": {}}}, each

    def screen(
        self,
        config: PretrainConfig,
        parts: ConversationParts,
        cost: Cost,
        first_step: int,
        device: torch.device,
    ) -> str:
        """Return the conversations, the network, the cost and the files of a run."""
        return conversation_screen(config, parts, cost, first_step, device, self.best_means)

    def next_commands(
        self,
        config: PretrainConfig,
        parts: ConversationParts,  # noqa: ARG002
        checkpoint: str,
        world: str,  # noqa: ARG002
    ) -> list[str]:
        """Return the command of the next stage."""
        start = shlex.quote(checkpoint)
        if config.stage == "align":
            return [f"evla train pretrain --data CONVERSATIONS --start {start}"]
        return [f"evla train finetune --dataset DATASET --start {start}"]
