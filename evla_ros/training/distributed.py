# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Train in one process or in several: read torchrun's environment, and let the ranks talk."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.distributed as dist
from torch import Tensor, nn

if TYPE_CHECKING:
    from evla_ros.training.run_settings import RunSettings


@dataclass(frozen=True)
class ProcessGroup:
    """One of `ranks` training processes, its rank and its device."""

    rank: int
    ranks: int
    device: torch.device

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and prints."""
        return self.rank == 0

    def total(self, values: Tensor) -> Tensor:
        """Return the sum over all ranks."""
        if self.ranks > 1:
            dist.all_reduce(values)
        return values

    def any(self, *, here: bool) -> bool:
        """Return whether `here` is true on any rank; every rank has to call it.

        The hosts ask each other, so that none waits for its GPU.
        """
        if self.ranks == 1:
            return here
        return bool(self.total(torch.tensor(float(here))) > 0)

    def barrier(self) -> None:
        """Wait for the other ranks."""
        if self.ranks > 1:
            dist.barrier()


def alone() -> ProcessGroup:
    """Return a group of one process, on the CPU."""
    return ProcessGroup(0, 1, torch.device("cpu"))


def start() -> ProcessGroup:
    """Join the other ranks when torchrun started this process, else return a group of one."""
    ranks, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    on_gpu = torch.cuda.is_available()
    device = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)
        torch.set_float32_matmul_precision("high")  # what stays in fp32 multiplies in TF32
    if ranks > 1:
        limit = dt.timedelta(minutes=30)
        dist.init_process_group("cpu:gloo,cuda:nccl" if on_gpu else "gloo", timeout=limit)
    return ProcessGroup(rank, ranks, device)


def is_sharded(config: RunSettings, group: ProcessGroup) -> bool:
    """Return whether a run spreads its network over the ranks."""
    return config.distributed == "fsdp" and group.ranks > 1


def stop(group: ProcessGroup) -> None:
    """Leave the group."""
    if group.ranks > 1:
        dist.destroy_process_group()


def share_gradients(group: ProcessGroup, parameters: list[nn.Parameter]) -> None:
    """Sum the gradients over all ranks in one flat message, for data parallel training."""
    if group.ranks == 1:
        return
    grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
    flat = torch.cat([grad.reshape(-1) for grad in grads])
    dist.all_reduce(flat)
    offset = 0
    for parameter in parameters:
        size = parameter.numel()
        parameter.grad = flat[offset : offset + size].view_as(parameter)
        offset += size


def whole(tensor: Tensor) -> Tensor:
    """Return a plain tensor; every rank has to call it for a sharded one."""
    gathered: Tensor = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return gathered
