# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Spread a network over the ranks (FSDP2): each holds a part of every tensor and gathers on use.

Weights are read into their places part by part, so no rank ever holds the whole network.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from evla_ros.model.evla_model import EvlaModel
from evla_ros.training.distributed import ProcessGroup
from evla_ros.training.errors import TrainingError

METHODS = ("forward_joint", "forward_taught", "encode_images")  # beside `forward`


def shard(
    group: ProcessGroup, model: EvlaModel, heads: Mapping[str, nn.Module], precision: str
) -> None:
    """Shard every block of the towers and of the decoder, the rest of the network, and its heads.

    With `bf16` the weights are gathered and multiplied in bf16, while the parts that learn, the
    sums of gradients over the ranks and the optimiser stay in fp32. The training heads compute in
    fp32.

    The network is emptied first (the device `meta`), and every rank then reads its own rows of
    every tensor, so that none holds more than its part and one tensor.

    Args:
        group: The ranks.
        model: The network. Its tensors may lie in a file; those of the main rank are sent where
            another rank has none (on the device `meta`).
        heads: The training heads, with weights.
        precision: `fp32` or `bf16`.

    Raises:
        TrainingError: This PyTorch has no FSDP2.
    """
    try:
        from torch.distributed.device_mesh import init_device_mesh
        from torch.distributed.fsdp import (
            MixedPrecisionPolicy,
            fully_shard,
            register_fsdp_forward_method,
        )
    except ImportError as error:
        raise TrainingError("distributed: fsdp needs PyTorch >= 2.6") from error
    warnings.filterwarnings("ignore", message="FSDP2-wrapped module.*returned a view")
    weights = _taken_out(model)
    mesh = init_device_mesh(group.device.type, (group.ranks,))
    narrow = torch.bfloat16 if precision == "bf16" else None
    policy = MixedPrecisionPolicy(narrow, torch.float32, cast_forward_inputs=False)
    for block in model.blocks():
        fully_shard(block, mesh=mesh, mp_policy=policy)
    fully_shard(model, mesh=mesh, mp_policy=policy)
    _fill(model, weights, group)
    for method in METHODS:
        register_fsdp_forward_method(model, method)
    for head in heads.values():
        fully_shard(head, mesh=mesh)


def release(model: nn.Module) -> None:
    """Let go of what a forward without a backward pass left gathered."""
    for module in model.modules():
        if hasattr(module, "reshard"):
            module.reshard()


def local(tensor: Tensor) -> Tensor:
    """Return the part of a tensor that this rank holds: all of it where it is not sharded."""
    part: Tensor = tensor.to_local() if hasattr(tensor, "to_local") else tensor
    return part


def rows_here(tensor: Tensor) -> tuple[int, int] | None:
    """Return which rows of a sharded tensor this rank holds; None where it holds all of it."""
    if not hasattr(tensor, "to_local"):
        return None
    from torch.distributed.tensor._utils import compute_local_shape_and_global_offset

    sharded: Any = tensor
    shape, offset = compute_local_shape_and_global_offset(
        sharded.shape, sharded.device_mesh, sharded.placements
    )
    count = shape[0] if shape else 0
    return (offset[0], offset[0] + count) if count else (0, 0)


def _taken_out(model: nn.Module) -> dict[str, Tensor]:
    """Return the weights of a network, and leave it on the device `meta`, to learn in fp32."""
    weights = {name: parameter.detach() for name, parameter in model.named_parameters()}
    learns = {name: parameter.requires_grad for name, parameter in model.named_parameters()}
    for name, tensor in weights.items():
        path, _, leaf = name.rpartition(".")
        dtype = torch.float32 if tensor.dtype.is_floating_point else tensor.dtype
        empty = torch.empty(tensor.shape, dtype=dtype, device="meta")
        setattr(model.get_submodule(path), leaf, nn.Parameter(empty, requires_grad=learns[name]))
    return weights


@torch.no_grad()
def _fill(model: EvlaModel, weights: dict[str, Tensor], group: ProcessGroup) -> None:
    """Copy this rank's rows of every tensor into a sharded network that has none yet."""
    model.to_empty(device=group.device)
    lacking = torch.tensor([float(tensor.is_meta) for tensor in weights.values()])
    sent = (group.total(lacking) > 0).tolist()
    for (name, parameter), send in zip(model.named_parameters(), sent, strict=True):
        tensor = weights.pop(name)
        if send:
            whole = torch.empty(tensor.shape, dtype=parameter.dtype, device=group.device)
            if group.is_main:
                whole.copy_(tensor)
            dist.broadcast(whole, src=0)
            tensor = whole
        rows = rows_here(parameter)
        local(parameter).copy_(tensor if rows is None else tensor[rows[0] : rows[1]])
    model.language_model.rebuild_buffers(group.device)
