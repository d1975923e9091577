# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a run settles before it begins: its folder, its share of the stream, who is decayed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import nn

from evla_ros.training import distributed
from evla_ros.training.config import TrainConfig
from evla_ros.training.errors import TrainingError
from evla_ros.training.samples.loader import Share


def open_folder(
    folder: Path, config: TrainConfig, world: distributed.World, *, resume: bool
) -> None:
    """Claim a new folder, or check that a run to resume is there; raises TrainingError."""
    stored = folder / "train.json"
    if resume and not stored.is_file():
        raise TrainingError(f"nothing to resume in {str(folder)!r}: it has no train.json")
    if not resume and stored.exists():
        raise TrainingError(
            f"{str(folder)!r} holds a run already; resume it with --resume or choose another folder"
        )
    if resume and config.distributed == "fsdp" and world.ranks > 1:
        raise TrainingError("a sharded run keeps no state to resume from; use distributed: ddp")
    world.barrier()
    if world.is_main and not resume:
        folder.mkdir(parents=True, exist_ok=True)
        stored.write_text(json.dumps(config.model_dump(mode="json"), indent=2) + "\n")


def share_of(config: TrainConfig, world: distributed.World) -> Share:
    """Return what this rank takes of the stream; raises TrainingError when it does not divide."""
    settings = config.optimizer
    parts = settings.accumulate * world.ranks
    if settings.batch % parts:
        raise TrainingError(
            f"optimizer.batch {settings.batch} is not a multiple of accumulate x ranks = {parts}"
        )
    return Share(world.rank, world.ranks, settings.batch // parts, settings.accumulate)


def chosen_precision(setting: str, device: torch.device) -> str:
    """Return `fp32` or `bf16`; `auto` takes bf16 where it is faster: on GPUs, and with AMX.

    It goes by what the device has and is not timed, so that ranks and resumed runs agree.
    """
    if setting != "auto":
        return setting
    has_amx = getattr(torch.cpu, "get_capabilities", dict)().get("amx_bf16", False)
    return "bf16" if device.type != "cpu" or has_amx else "fp32"


def decay_groups(parameters: list[nn.Parameter], decay: float) -> list[dict[str, Any]]:
    """Return optimiser groups: matrices are decayed, biases and norms are not."""
    matrices = [p for p in parameters if p.dim() > 1]
    vectors = [p for p in parameters if p.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    return [group for group in groups if group["params"]]
