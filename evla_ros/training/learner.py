# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One optimiser step of a run: forward and backward passes, shared gradients, moving average."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from evla_ros.model.evla_model import EvlaModel
from evla_ros.training import distributed
from evla_ros.training.arithmetic import computing
from evla_ros.training.ema import Ema
from evla_ros.training.metrics import StepTotals
from evla_ros.training.objective.objective import Objective
from evla_ros.training.preparing import decay_groups
from evla_ros.training.run_settings import RunSettings
from evla_ros.training.schedule import learning_rate
from evla_ros.training.sharding import release


class Learner:
    """The network of a run with its optimiser.

    Attributes:
        optimizer: AdamW over the parameters that learn.
        ema: The moving average of the weights, which is what checkpoints hold.
        sharded: Whether the parameters are spread over the ranks.
    """

    def __init__(
        self,
        config: RunSettings,
        model: EvlaModel,
        modules: Mapping[str, nn.Module],
        objective: Objective,
        precision: str,
        group: distributed.ProcessGroup,
    ) -> None:
        """Create the optimiser.

        Args:
            config: The settings of the run.
            model: The network, ready to be trained.
            modules: The network and its training heads.
            objective: What is learned from a batch.
            precision: Number format of the matrix products.
            group: The ranks.
        """
        settings = config.optimizer
        self._config, self._model, self._objective = config, model, objective
        self._precision, self._group = precision, group
        self.sharded = distributed.is_sharded(config, group)
        self._trained = [p for m in modules.values() for p in m.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(
            decay_groups(modules.values(), settings.weight_decay),
            lr=settings.learning_rate,
            betas=settings.betas,
            fused=group.device.type == "cuda",
        )
        self.ema = Ema(model, settings.ema)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the last step."""
        return float(self.optimizer.param_groups[0]["lr"])

    @contextlib.contextmanager
    def scoring(self) -> Iterator[None]:
        """Put the average of the weights into the network, to score it, inside a `with` block."""
        with self.ema.applied():
            try:
                with computing(self._group.device, self._precision, sharded=self.sharded):
                    yield
            finally:
                if self.sharded:  # what was gathered to score is no longer what the ranks hold
                    release(self._model)

    def step(self, step: int, stream: Iterator[Any]) -> tuple[StepTotals, Tensor]:
        """Take one optimiser step over `accumulate` forward passes.

        Args:
            step: The number of the step, from 0.
            stream: Yields the batches of this rank.

        Returns:
            The sums of this rank over the forward passes, and the norm of the gradient.
        """
        settings, group = self._config.optimizer, self._group
        seed = hash((self._config.seed, step, group.rank)) % 2**31
        torch.manual_seed(seed)  # dropout of the adapters
        for parameters in self.optimizer.param_groups:
            parameters["lr"] = learning_rate(settings, step)
        waiting = [next(stream).to(group.device) for _ in range(settings.accumulate)]
        totals = self.add_gradients(waiting, step)
        norm = distributed.whole(nn.utils.clip_grad_norm_(self._trained, settings.clip_norm))
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.ema.update(step)
        return totals, norm

    def add_gradients(self, waiting: list[Any], step: int) -> StepTotals:
        """Compute the gradients of every batch; the loss is a mean over the numbers of all ranks.

        Args:
            waiting: The batches of this rank, on its device.
            step: The number of the step, from 0.

        Returns:
            The sums of this rank over the batches.
        """
        group, objective = self._group, self._objective
        waiting = [objective.prepared(batch, step) for batch in waiting]
        counts = [
            torch.cat([batch.count[None].float(), objective.labels(batch)]) for batch in waiting
        ]
        totals_of_all = group.total(torch.stack(counts).sum(0))
        count, labels = totals_of_all[0].clamp_min(1), totals_of_all[1:]
        factor = group.ranks if self.sharded else 1
        totals = StepTotals()
        for batch in waiting:
            with computing(group.device, self._precision, sharded=self.sharded):
                sums, auxiliary = objective.losses(batch, step, labels)
            total = sums.loss / count + auxiliary
            (total * factor).backward()  # type: ignore[no-untyped-call]
            totals.add(sums, auxiliary)
        if not self.sharded:
            distributed.share_gradients(group, self._trained)
        return totals
