# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks step`: forward and backward of a network with random weights, and memory.

It takes no optimiser step: AdamW adds two numbers for each trained one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import torch
from torch import Tensor

from evla_ros.bench.memory import GIB, mark_peak, resident_gib, trim
from evla_ros.bench.model_rows import bench_config
from evla_ros.bench.model_work import example
from evla_ros.bench.report import Printed, Row
from evla_ros.model.building import random_model
from evla_ros.model.evla_model import EvlaModel
from evla_ros.options import Option
from evla_ros.training.arithmetic import autocast
from evla_ros.training.model_changes.activation_checkpointing import checkpoint_activations
from evla_ros.training.model_changes.freeze import freeze

EXAMPLES = "example: python -m benchmarks step --preset evla-1b --precisions fp32 bf16 --repeat 3"


@dataclass(frozen=True, kw_only=True)
class Options(Printed):
    """Which network, and what of it learns."""

    preset: Annotated[str, Option("a model preset (random weights)")] = "evla-1b"
    actions: Annotated[str, Option("action shape, chunk x dimension", "KxD")] = "1x7"
    precisions: Annotated[
        tuple[Literal["fp32", "bf16"], ...], Option("of the products; weights are fp32")
    ] = ("fp32", "bf16")
    train: Annotated[
        tuple[Literal["language", "all"], ...],
        Option("what learns: language model and projector (phase 2 of EVLA), or all"),
    ] = ("language", "all")
    batch: Annotated[int, Option("samples", "B", least=1)] = 1
    text_length: Annotated[int, Option("prompt tokens", "N", least=1)] = 24
    checkpointing: Annotated[bool, Option("compute activations again in the backward pass")] = False
    repeat: Annotated[int, Option("steps, the fastest of which counts", "N", least=1)] = 3
    device: Annotated[str, Option("cpu, cuda, ...")] = "cpu"
    threads: Annotated[int, Option("of torch", "T", least=0, unset="torch's choice")] = 0


def rows(options: Options) -> Iterable[Row]:
    """Measure every precision and choice of what learns."""
    if options.threads:
        torch.set_num_threads(options.threads)
    config = bench_config(options.preset, options.actions, 1)
    model = random_model(config, options.device).train()
    if options.checkpointing:
        checkpoint_activations(model, draws=False)
    one = example(config, options.text_length, options.device)
    many = {
        name: value.expand(options.batch, *value.shape[1:])
        for name, value in vars(one).items()
        if isinstance(value, Tensor)
    }
    batch = type(one)(**many)
    joint = config.action.decode == "joint"
    ids = torch.full((options.batch, config.action.slots), model.action_tokenizer.first_id)

    def forward() -> Tensor:
        taught = partial(model.forward_taught, batch, ids.to(options.device))
        output = model.forward_joint(batch) if joint else taught()
        logits = output.logits
        assert logits is not None  # noqa: S101 - presets have a token head
        return logits.float().logsumexp(-1).mean()

    for part in options.train:
        model.requires_grad_(requires_grad=True)
        freeze(model, ["vision"] if part == "language" else [])
        for precision in options.precisions:
            context: dict[str, Any] = {
                "preset": config.name, "actions": options.actions, "batch": options.batch,
                "decode": config.action.decode, "train": part, "precision": precision,
                "device": options.device, "threads": torch.get_num_threads(),
                "checkpointing": options.checkpointing,
                "trained": sum(p.numel() for p in model.parameters() if p.requires_grad),
            }  # fmt: skip
            yield from _measured(options, model, precision, forward, context)


def _measured(
    options: Options,
    model: EvlaModel,
    precision: str,
    forward: Callable[[], Tensor],
    context: dict[str, Any],
) -> Iterator[Row]:
    device = torch.device(options.device)
    on_gpu = device.type == "cuda"
    model.zero_grad(set_to_none=True)
    trim()
    mark_peak()
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(device)
    before = resident_gib()
    times, used = [], []
    for _ in range(options.repeat):
        model.zero_grad(set_to_none=True)
        began, spent = time.perf_counter(), time.process_time()
        with autocast(device, precision):
            loss = forward()
        loss.backward()  # type: ignore[no-untyped-call]
        if on_gpu:
            torch.cuda.synchronize(device)
        times.append(time.perf_counter() - began)
        used.append(time.process_time() - spent)
    context = {**context, "runs": len(times), "cpu_s": round(min(used), 2)}
    yield Row("train.forward_backward", min(times), "s", context=context)
    peak = torch.cuda.max_memory_allocated(device) / GIB if on_gpu else resident_gib(peak=True)
    resident = {} if on_gpu else {"before_gib": round(before, 2)}
    yield Row("train.forward_backward.memory", peak, "GiB", context={**context, **resident})
