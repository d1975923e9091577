# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write what a run keeps: the checkpoints `best` and `last`, and the state to go on from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from evla_ros.model.adapter_checkpoint import base_record
from evla_ros.model.checkpoint import write_checkpoint
from evla_ros.training import distributed
from evla_ros.training.checkpointing import load_state, save_state
from evla_ros.training.config import TrainConfig
from evla_ros.training.learner import Learner
from evla_ros.training.model_changes.lora import adapter_weights, merged_weights
from evla_ros.training.phase import RunParts
from evla_ros.training.run_folder import LAST
from evla_ros.training.run_settings import RunSettings

BEST = "best"


def adapters_base(config: RunSettings) -> str | None:
    """Return what is kept of the base of a run that saves adapters alone; None of another run.

    Raises:
        CheckpointError: The run began with adapters.
    """
    if not isinstance(config, TrainConfig) or not config.lora.adapters_only:
        return None
    return base_record(Path(config.model.start), config.lora.alpha / config.lora.rank)


class Saver:
    """Saves a run in its folder.

    Attributes:
        best: The smallest score of an evaluation so far.
        metadata: What else the state holds, such as the precision of the run.
    """

    def __init__(
        self,
        folder: Path,
        parts: RunParts,
        modules: Mapping[str, nn.Module],
        learner: Learner,
        group: distributed.ProcessGroup,
        base: str | None = None,
    ) -> None:
        """Keep what is saved; with `base`, the text of `base_record`, adapters alone are."""
        self._base = base
        self.best = float("inf")
        self.metadata: dict[str, Any] = {}
        self._folder, self._parts, self._modules = folder, parts, modules
        self._learner, self._group = learner, group

    def restore(self) -> int:
        """Load the newest state; returns the steps that were taken, 0 without a state."""
        learner = self._learner
        state = load_state(self._folder, self._modules, learner.optimizer, learner.ema, self._group)
        self.best = float(state["best"]) if state else self.best
        return int(state["step"]) if state else 0

    def offer(self, score: float) -> None:
        """Save the checkpoint `best` when the score is smaller than any before."""
        if score < self.best:
            self.best = score
            self._save_checkpoint(BEST)

    def save(self, step: int) -> None:
        """Save the checkpoint `last` and the state; a state is never without its checkpoint."""
        self._save_checkpoint(LAST)
        learner, metadata = self._learner, {"best": self.best, **self.metadata}
        if self._group.is_main or learner.sharded:
            group = self._group if learner.sharded else None
            given = (self._modules, learner.optimizer, learner.ema, metadata, group)
            save_state(self._folder, step, *given)
        self._group.barrier()

    def _save_checkpoint(self, name: str) -> None:
        if (
            not self._group.is_main and not self._learner.sharded
        ):  # sharded: every rank gives its part
            return
        parts = self._parts
        with self._learner.ema.applied():
            saved = merged_weights if self._base is None else adapter_weights
            weights = saved(parts.model, distributed.whole)
            if not self._group.is_main:
                for stored in weights.values():  # the main one asks for them in this order
                    stored.read()
                return
            write_checkpoint(
                self._folder / name,
                parts.model.config,
                weights,
                parts.tokenizer,
                parts.statistics,
                parts.embodiment_text,
                overwrite=True,
                cameras=parts.cameras,
                base=self._base,
            )
