# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Build a model around given tensors without ever holding its weights twice."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from evla_ros.model.config import EvlaConfig
from evla_ros.model.errors import CheckpointError
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.stored import Stored
from evla_ros.model.weight_writer import check_finite

SLOTS = "slot_embedding"
WEIGHT_DTYPES = (torch.float32, torch.bfloat16, torch.float16, torch.float64)
_PATTERN = 1_000_003  # a prime, so that rows of a matrix do not repeat


def build_with(
    config: EvlaConfig,
    tensors: Mapping[str, Tensor],
    source: str,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
) -> EvlaModel:
    """Return a model in evaluation mode whose parameters are the given tensors.

    Args:
        config: the architecture.
        tensors: parameter name -> tensor. A missing slot embedding becomes zeros, since released
            weights never had one.
        source: where the tensors come from, for messages.
        device: where they are moved to.
        dtype: what they are cast to; None keeps theirs.

    Raises:
        CheckpointError: a tensor is missing, unknown or of another shape.
    """
    with torch.device("meta"):
        model = EvlaModel(config)
    expected = dict(model.named_parameters())
    given = dict(tensors)
    if SLOTS not in given:
        sample = next(iter(given.values())) if given else torch.zeros(1)
        given[SLOTS] = torch.zeros(expected[SLOTS].shape, dtype=sample.dtype)
    check_shapes(expected, given, source)
    for name, tensor in given.items():
        _check_numbers(name, tensor, source)
    for name in list(given):
        assign(model, name, given.pop(name).to(device=device, dtype=dtype))
    model.language_model.rebuild_buffers(torch.device(device))
    return model.eval()


def random_model(
    config: EvlaConfig, device: str | torch.device = "cpu", dtype: torch.dtype = torch.float32
) -> EvlaModel:
    """Return a model with random weights, made in their final dtype; for speed measurements."""
    with torch.device("meta"):
        model = EvlaModel(config)
    pattern = 0.02 * torch.randn(_PATTERN, device=device).to(dtype)
    for name, parameter in list(model.named_parameters()):
        fresh = torch.empty(parameter.shape, dtype=dtype, device=device)
        is_scale = parameter.dim() == 1 and not name.endswith("bias")
        for piece in fresh.view(-1).split(len(pattern)):  # drawing 10^9 numbers takes a minute
            piece.copy_(pattern[: len(piece)])
        assign(model, name, fresh.fill_(1.0) if is_scale else fresh)
    model.language_model.rebuild_buffers(torch.device(device))
    return model.eval()


def check_shapes(
    expected: Mapping[str, Tensor], given: Mapping[str, Tensor | Stored], source: str
) -> None:
    """Compare tensors with the parameters that a network has.

    Raises:
        CheckpointError: a tensor is missing, unknown or of another shape.
    """
    missing, unknown = (
        sorted(expected.keys() - given.keys()),
        sorted(given.keys() - expected.keys()),
    )
    if missing:
        raise CheckpointError(
            f"{source}: lacks {len(missing)} tensors, the first is {missing[0]!r}"
        )
    if unknown:
        raise CheckpointError(
            f"{source}: has {len(unknown)} unknown tensors, the first is {unknown[0]!r}"
        )
    for name, parameter in expected.items():
        if parameter.shape != given[name].shape:
            raise CheckpointError(
                f"{source}: {name} has shape {list(given[name].shape)}, the configuration asks for "
                f"{list(parameter.shape)}"
            )


def _check_numbers(name: str, tensor: Tensor, source: str) -> None:
    """Refuse weights that are no floating-point numbers, or not finite."""
    if tensor.dtype not in WEIGHT_DTYPES:
        raise CheckpointError(f"{source}: {name} holds {tensor.dtype}; weights are floating-point")
    check_finite(tensor, f"{source}: {name}")


def assign(model: EvlaModel, name: str, tensor: Tensor) -> None:
    """Put a tensor in the place of a parameter."""
    path, _, leaf = name.rpartition(".")
    setattr(model.get_submodule(path), leaf, nn.Parameter(tensor))
