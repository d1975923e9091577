# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One process or many: what torchrun put into the environment, and how the model is shared out."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from evla_ros.training.errors import TrainingError


@dataclass(frozen=True)
class World:
    """The process's rank among `ranks`, and its device."""

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

    def barrier(self) -> None:
        """Wait for the other ranks."""
        if self.ranks > 1:
            dist.barrier()


def start() -> World:
    """Join the other ranks when torchrun started this process; else be alone."""
    ranks, rank = int(os.environ.get("WORLD_SIZE", "1")), int(os.environ.get("RANK", "0"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    on_gpu = torch.cuda.is_available()
    device = torch.device("cuda", local) if on_gpu else torch.device("cpu")
    if on_gpu:
        torch.cuda.set_device(device)
    if ranks > 1:
        limit = dt.timedelta(minutes=30)
        dist.init_process_group("nccl" if on_gpu else "gloo", timeout=limit)
    return World(rank, ranks, device)


def stop(world: World) -> None:
    """Leave the group."""
    if world.ranks > 1:
        dist.destroy_process_group()


def share_gradients(world: World, parameters: list[nn.Parameter]) -> None:
    """Sum the gradients over all ranks in one flat message (data parallel training)."""
    if world.ranks == 1:
        return
    grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in parameters]
    flat = torch.cat([grad.reshape(-1) for grad in grads])
    dist.all_reduce(flat)
    offset = 0
    for parameter in parameters:
        size = parameter.numel()
        parameter.grad = flat[offset : offset + size].view_as(parameter)
        offset += size


def shard(world: World, model: nn.Module) -> None:
    """FSDP2: shard every decoder layer and the rest over the ranks."""
    if world.ranks == 1:
        return
    try:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method
    except ImportError as error:
        raise TrainingError("distributed: fsdp needs PyTorch >= 2.6") from error
    mesh = init_device_mesh(world.device.type, (world.ranks,))
    for layer in model.language_model.body.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    for method in ("forward_joint", "forward_taught", "encode_images"):
        register_fsdp_forward_method(model, method)


def whole_tensors(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return plain tensors; sharded ones are gathered, which all ranks have to take part in."""
    return {name: whole(tensor) for name, tensor in tensors.items()}


def whole(tensor: Tensor) -> Tensor:
    """Return a plain tensor; every rank has to call it for a sharded one."""
    gathered: Tensor = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return gathered
