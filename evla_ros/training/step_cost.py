# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Try a few samples before the first step: the faster arithmetic, the time, the memory."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from evla_ros.model.attention_kernel import set_attention
from evla_ros.model.evla_model import EvlaModel
from evla_ros.training.arithmetic import Arithmetic, choose_arithmetic, computing
from evla_ros.training.distributed import ProcessGroup, is_sharded
from evla_ros.training.memory_estimate import MemoryEstimate, SavedTensors, estimate_memory
from evla_ros.training.objective.objective import Objective, SampleSource
from evla_ros.training.samples.loader import Share

_SAMPLES, _LARGE = 8, 50_000_000  # parameters from which on a CPU one sample takes long enough


@dataclass(frozen=True)
class Cost:
    """What the steps of a run will cost.

    Attributes:
        arithmetic: Number format and attention, as measured.
        memory: The memory of a step, of one rank.
        step_s: Seconds a step, estimated.
    """

    arithmetic: Arithmetic
    memory: MemoryEstimate
    step_s: float


def measure_cost(
    config: Any,
    model: EvlaModel,
    modules: Mapping[str, nn.Module],
    objective: Objective,
    stream: SampleSource,
    share: Share,
    group: ProcessGroup,
    kept: dict[str, Any],
) -> Cost:
    """Choose the arithmetic of a run and estimate what its steps cost; every rank has to call it.

    Args:
        config: The settings of the run, of either phase.
        model: The network.
        modules: The network and its training heads.
        objective: What is learned from a batch.
        stream: The samples to learn from.
        share: The samples of a forward pass.
        group: The ranks.
        kept: What the saved state of a resumed run holds.
    """
    large = sum(p.numel() for p in model.parameters()) > _LARGE
    count = 1 if large and group.device.type == "cpu" else min(share.micro, _SAMPLES)
    began = time.perf_counter()
    batch = stream.batch(range(count))
    asked = config.data.workers
    beside = group.device.type == "cuda" if asked is None else asked > 0
    loading_s = 0.0 if beside else time.perf_counter() - began
    batch = objective.prepared(batch.to(group.device), 0)
    saved = 0

    def attempt(precision: str, kernel: str) -> None:
        nonlocal saved
        set_attention(model, kernel)
        context = computing(group.device, precision, sharded=is_sharded(config, group))
        with SavedTensors(model) as tensors, context:
            sums, auxiliary = objective.losses(batch, 0)
        saved = tensors.bytes
        (sums.loss / sums.count.clamp_min(1) + auxiliary).backward()  # type: ignore[no-untyped-call]
        for module in modules.values():
            module.zero_grad(set_to_none=True)

    arithmetic = choose_arithmetic(config, kept, attempt, group)
    set_attention(model, arithmetic.attention)
    trained = [p for m in modules.values() for p in m.parameters() if p.requires_grad]
    memory = estimate_memory(
        model,
        trained,
        saved * share.micro / count,
        averages=config.optimizer.ema > 0,
        device=group.device,
    )
    forward_s = (arithmetic.seconds + loading_s) * share.micro / count
    return Cost(arithmetic, memory, forward_s * share.accumulate)
