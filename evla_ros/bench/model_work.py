# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much work a model's stages are: operations counted on `meta`, and weight bytes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from evla_ros.errors import EvlaError
from evla_ros.model.config import EvlaConfig
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import ModelInput


def example(config: EvlaConfig, text_length: int, device: str = "meta") -> ModelInput:
    """Return one observation of the right shapes, all zeros."""
    size, cameras = config.image.size, len(config.image.cameras)
    return ModelInput(
        input_ids=torch.zeros(1, text_length, dtype=torch.long, device=device),
        text_lengths=torch.full((1,), text_length, device=device),
        images=torch.zeros(1, cameras, 3, size, size, dtype=torch.uint8, device=device),
        proprio=torch.zeros(1, config.proprio_dim, device=device) if config.proprio_dim else None,
    )


def required_images(batch: ModelInput) -> Tensor:
    """Return the images [1, cameras, 3, S, S] of a batch such as `example` makes."""
    if batch.images is None:
        raise EvlaError("the benchmark needs a batch with images")
    return batch.images


def count_flops(config: EvlaConfig, text_length: int) -> dict[str, float]:
    """Return the operations of each stage of one joint step, counted without computing.

    A multiply-add is two operations; padding counts.
    """
    with torch.device("meta"):
        model = EvlaModel(config, attention="eager").eval()
    batch = example(config, text_length)
    images = torch.zeros(required_images(batch).shape[1:], device="meta")
    counts = {
        backbone.config.kind: _count(partial(backbone, images)) for backbone in model.backbones
    }
    features = torch.zeros(
        1, len(config.image.cameras) * config.patches_per_camera, config.vision_width, device="meta"
    )
    counts["projector"] = _count(lambda: model.projector(features))
    whole = _count(lambda: model.forward_joint(batch))
    slots = torch.zeros(1, config.action.slots, config.language_model.hidden_size, device="meta")
    counts["head"] = _count(lambda: model.action_logits(slots))
    if "l1" in config.action.heads:
        counts["head"] += _count(lambda: model.l1_head(slots))
    counts["llm"] = whole - sum(counts.values())
    counts["step"] = whole
    return counts


def _count(work: Callable[[], object]) -> float:
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        work()
    return float(counter.get_total_flops())


def weight_bytes(module: nn.Module) -> float:
    """Return the bytes of a module's parameters and buffers: what a pass reads at least."""
    return float(sum(t.nbytes for t in (*module.parameters(), *module.buffers())))
