# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Train a tiny network, save its state, go on: in one process, or `torchrun sharded_state.py OUT`.

The ranks go on from their own state and from one that a single process saved in OUT/alone; then one
of them is killed while it saves.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from sharded_ranks import B, Case, batch_of, network, settings_of
from torch import Tensor

from evla_ros.model.safe_files import write_safetensors
from evla_ros.training import checkpointing, distributed
from evla_ros.training.learner import Learner
from evla_ros.training.model_changes.trainable import trainable_modules
from evla_ros.training.objective.forward import ActionObjective
from evla_ros.training.sharding import shard

CASE = Case(
    settings={
        "loss": {"grounding": 0.7, "grounding_layer": 0},
        "optimizer": {"ema": 0.9, "learning_rate": 1e-3, "warmup_steps": 0},
    }
)


class Training:
    """The network of a run, its optimiser and its average."""

    def __init__(self, group: distributed.ProcessGroup) -> None:
        config = settings_of(CASE)
        self.group, self.model = group, network(CASE).train()
        self.modules = trainable_modules(self.model, config, group)
        if group.ranks > 1:
            heads = {"grounding": self.modules["grounding"]}
            shard(group, self.model, heads, "fp32")
        objective = ActionObjective(self.model, config, self.modules)
        learned = (self.model, self.modules, objective)
        self.learner = Learner(config, *learned, "fp32", group)

    def steps(self, first: int, count: int) -> None:
        """Take some steps over the rows of this rank."""
        part = B // self.group.ranks
        rows = slice(self.group.rank * part, (self.group.rank + 1) * part)
        for step in range(first, first + count):
            self.learner.step(step, iter([batch_of(2, rows)]))

    def save(self, folder: Path, step: int) -> None:
        """Save the state."""
        self._with(checkpointing.save_state, folder, step, self.modules, extra=({"best": 1.5},))

    def load(self, folder: Path) -> Any:
        """Load the newest state."""
        return self._with(checkpointing.load_state, folder, self.modules)

    def _with(self, call: Any, *arguments: Any, extra: tuple[Any, ...] = ()) -> Any:
        learner = self.learner
        return call(*arguments, learner.optimizer, learner.ema, *extra, group=self.group)

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights, their average, and the optimiser's moments, each as a whole."""
        found = {}
        for name, module in self.modules.items():
            found.update({f"{name}.{key}": p for key, p in module.named_parameters()})
        found.update({f"ema.{key}": value for key, value in self.learner.ema.shadow.items()})
        for index, entry in self.learner.optimizer.state_dict()["state"].items():
            found.update({f"{index}.{key}": value for key, value in entry.items()})
        return {name: distributed.whole(t.detach()).clone() for name, t in found.items()}


def main(folder: Path) -> None:
    """Train four steps at a stretch; again from the state after two; from another's; be killed."""
    group = distributed.start()
    whole = Training(group)
    whole.steps(0, 2)
    whole.save(folder / "together", 2)
    whole.steps(2, 2)
    results = {"uninterrupted": whole.tensors()}
    for name in ("together", "alone"):
        resumed = Training(group)
        assert resumed.load(folder / name)["step"] == 2
        resumed.steps(2, 2)
        results[name] = resumed.tensors()
    if group.is_main:
        for name, tensors in results.items():
            write_safetensors(tensors, folder / f"{name}.safetensors")
    group.barrier()
    if group.rank == 1:
        write = checkpointing.write_shard

        def killed(path: Path, tensors: Any, save: str) -> Any:
            write(path, dict(list(tensors.items())[:5]), save)
            os.kill(os.getpid(), signal.SIGKILL)

        checkpointing.write_shard = killed  # type: ignore[assignment]
    whole.save(folder / "together", 4)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
