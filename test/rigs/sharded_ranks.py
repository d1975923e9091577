# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Gradients of a tiny network, alone or spread over ranks: `torchrun sharded_ranks.py FOLDER`.

The labelled nouns all lie in the first half of the batch, so that the second rank has none.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from evla_ros.model.building import build_with
from evla_ros.model.config import EvlaConfig, parse_config
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import ModelInput
from evla_ros.model.safe_files import read_safetensors, write_safetensors
from evla_ros.training import config_file, distributed
from evla_ros.training.learner import Learner
from evla_ros.training.model_changes.trainable import trainable_modules
from evla_ros.training.model_changes.transplant import transplant
from evla_ros.training.objective.forward import ActionObjective
from evla_ros.training.samples.batch import Batch
from evla_ros.training.sharding import local, shard

B, R, T, K, D, P = 4, 2, 6, 2, 7, 8


@dataclass(frozen=True)
class Case:
    """A network and its training settings."""

    family: str = "qwen2"
    action: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    precision: str = "fp32"


CASES = {
    "grounding": Case(settings={"loss": {"grounding": 0.7, "grounding_layer": 0}}),
    "checkpointed": Case(
        settings={"loss": {"grounding": 0.7}, "activation_checkpointing": True},
    ),
    "norms_of_heads": Case("qwen3", settings={"loss": {"grounding": 0.7, "grounding_layer": 0}}),
    "some_steps": Case(
        action={"chunk": 4, "mask": "isolated"}, settings={"loss": {"steps": 2, "grounding": 0.5}}
    ),
    "token_by_token": Case(
        action={"decode": "autoregressive", "heads": ["tokens"], "output": "tokens"},
        settings={"loss": {"grounding": 0.5}},
    ),
    "heads_alone": Case(settings={"freeze": ["vision", "projector", "llm"]}),
    "adapters": Case(settings={"lora": {"rank": 2}}),
    "bf16": Case(settings={"loss": {"grounding": 0.7}}, precision="bf16"),
}


def configuration(case: Case, **decoder: Any) -> EvlaConfig:
    """Return the configuration of a network with all heads."""
    size = {"hidden_size": 16, "depth": 3, "heads": 2, "mlp_size": 32, "patch_size": 12}
    mean = {"mean": [0.5] * 3, "std": [0.25] * 3}
    action = {"chunk": K, "dim": D, "vocabulary_size": 576, "heads": ["tokens", "l1"]}
    sizes = {"hidden_size": 32, "layers": 3, "heads": 4, "key_value_heads": 2, "mlp_size": 48}
    sizes.update(decoder)
    return parse_config(
        {
            "name": "tiny",
            "backbones": [
                {"kind": "dinov2", "register_tokens": 2, **mean, **size},
                {"kind": "siglip", "stem": "conv", **mean, **size},
            ],
            "image": {"size": 24, "cameras": ["primary"]},
            "projector": "gelu-mlp",
            "language_model": {"family": case.family, "vocabulary_rows": 576, **sizes},
            "action": {**action, "output": "l1", "l1_width": 32, **case.action},
            "prompt": {"prefix_ids": [0], "max_tokens": 48},
            "proprio_dim": P,
        },
        "tiny",
    )


def network(case: Case) -> EvlaModel:
    """Return a network with the same weights in every process."""
    torch.manual_seed(0)
    return EvlaModel(configuration(case))


def batch_of(chunk: int, rows: slice) -> Batch:
    """Return some rows of four samples."""
    draw = torch.Generator().manual_seed(1)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=draw)

    noun = torch.zeros(B, R, 2, dtype=torch.long)
    noun[0, 0, 0], noun[0, 1, 1], noun[1, 0, 0] = 2, 3, 4
    valid = torch.ones(B, R, chunk, dtype=torch.bool)
    valid[3, 0, 1:] = False
    inputs = ModelInput(
        torch.randint(0, 300, (B, R, T), generator=draw)[rows],
        torch.full((B, R), T)[rows],
        images=torch.randint(0, 256, (B, 1, 3, 24, 24), dtype=torch.uint8, generator=draw)[rows],
        proprio=normal(B, P)[rows],
    )
    return Batch(
        inputs,
        normal(B, R, chunk, D).clamp(-1, 1)[rows],
        valid[rows],
        torch.ones(B, D)[rows],
        torch.zeros(B, dtype=torch.long)[rows],
        noun[rows],
        torch.rand(B, R, 2, 5, generator=draw)[rows],
    )


def settings_of(case: Case) -> Any:
    """Return the settings of a case."""
    kind = "fsdp" if int(os.environ.get("WORLD_SIZE", "1")) > 1 else "ddp"
    plain = {"output": "x", "datasets": [{"path": "x"}], "distributed": kind, **case.settings}
    return config_file.parse_config(plain, "case")


def gradients(case: Case, group: distributed.ProcessGroup) -> dict[str, Tensor]:
    """Return the loss and the gradients of a batch that the ranks share."""
    config, model = settings_of(case), network(case).train()
    modules = trainable_modules(model, config, group)
    if group.ranks > 1:
        heads = {name: part for name, part in modules.items() if name != "model"}
        shard(group, model, heads, case.precision)
    objective = ActionObjective(model, config, modules)
    learner = Learner(config, model, modules, objective, case.precision, group)
    part = B // group.ranks
    rows = slice(group.rank * part, (group.rank + 1) * part)
    totals = learner.add_gradients([batch_of(model.config.action.chunk, rows)], 0)
    metrics = totals.metrics(group, "abcdefg", "accuracy")
    found = {key: torch.tensor(metrics[key]) for key in ("loss", "auxiliary_loss")}
    for name, module in modules.items():
        for key, parameter in module.named_parameters():
            if parameter.grad is not None:
                found[f"{name}.{key}"] = distributed.whole(parameter.grad).clone()
    return found


LARGE = {"hidden_size": 256, "layers": 6, "mlp_size": 8192}  # 150 MB in fp32


def memory(weights: Path, group: distributed.ProcessGroup) -> None:
    """Shard a network whose weights lie in a file; write this rank's memory before and after."""
    config = configuration(Case(), **LARGE)
    loaded = build_with(config, read_safetensors(weights), str(weights))
    before = _own_bytes()
    model = transplant(loaded, config, copy=False)
    del loaded
    mapped = _own_bytes()
    shard(group, model, {}, "fp32")
    after = _own_bytes()
    parts = sum(local(parameter).numel() * 4 for parameter in model.parameters())
    found = {"mapped": mapped - before, "sharded": after - before, "parts": parts}
    (weights.parent / f"memory{group.rank}.json").write_text(json.dumps(found))


def _own_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def main(folder: Path) -> None:
    """Write the gradients of every case, and what the ranks hold of a large network."""
    group = distributed.start()
    memory(folder / "large.safetensors", group)
    for name, case in CASES.items():
        found = gradients(case, group)
        if group.is_main:
            write_safetensors(found, folder / f"{name}.safetensors")
    distributed.stop(group)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
