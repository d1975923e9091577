# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latency and memory of a network of random weights: measured whole, or estimated from blocks.

An estimate times every tower and the decoder with one and with three blocks; half the difference is
a block, and the rest is what does not depend on their number.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from evla_ros.bench.memory import GIB, mark_peak, resident_gib, trim
from evla_ros.bench.model_rows import DTYPES, bench_config, build
from evla_ros.bench.model_work import example, required_images
from evla_ros.bench.roofline import Timer
from evla_ros.model.acceleration import CudaGraphStep
from evla_ros.model.config import DecodeMode, EvlaConfig, parse_config
from evla_ros.model.decode import decode
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import ModelInput
from evla_ros.training.memory_estimate import free_bytes

if TYPE_CHECKING:
    from evla_ros.bench.paper_options import Options

GB = 1e9
MODES: tuple[DecodeMode, ...] = ("joint", "autoregressive")
_LARGE = 3_000_000_000  # parameters that a CPU takes minutes for
_FEW, _MORE = 1, 3  # blocks of an estimate
_ROOM = 1.3  # times its weights is what a network needs, at least


@dataclass(frozen=True)
class Timed:
    """What was found about a network.

    Attributes:
        best_ms: The fastest answer by way of decoding.
        memory_gb: What it needs, in 1e9 bytes.
        memory_is: What of it that is.
        context: Preset, shape, dtype, device and how it was found.
    """

    best_ms: dict[str, float]
    memory_gb: float
    memory_is: str
    context: dict[str, Any]


@torch.inference_mode()
def time_network(options: Options, preset: str) -> Timed:
    """Return what a preset takes on a device."""
    config = bench_config(preset, options.actions, 1)
    with torch.device("meta"):
        shape = EvlaModel(config)
    count = sum(parameter.numel() for parameter in shape.parameters())
    size = count * torch.finfo(DTYPES[options.dtype]).bits // 8
    too_large = _ROOM * size > free_bytes(torch.device(options.device))
    on_cpu = options.device == "cpu"
    estimate = options.estimate == "always" or (
        options.estimate == "auto" and (too_large or (on_cpu and count > _LARGE))
    )
    graphs = not on_cpu and not options.eager
    context = {
        "preset": preset, "actions": options.actions, "dtype": options.dtype,
        "device": options.device, "threads": torch.get_num_threads(),
        "clock": options.clock, "mode": "cuda graph" if graphs else "eager", "parameters": count,
        "how": f"estimated from {_FEW} and {_MORE} blocks" if estimate else "measured",
    }  # fmt: skip
    timer = Timer(options.repeat, options.seconds, options.device, options.clock)
    if estimate:
        times = _from_blocks(config, options, timer, graphs=graphs)
        return Timed(times, size / GB, "weights, counted", context)
    return _whole(config, options, timer, context, graphs=graphs)


def _whole(
    config: EvlaConfig, options: Options, timer: Timer, context: dict[str, Any], *, graphs: bool
) -> Timed:
    trim()
    before = resident_gib()
    model = build(config, options.dtype, options.device)
    trim()
    mark_peak()
    on_gpu = options.device.startswith("cuda")
    if on_gpu:
        torch.cuda.reset_peak_memory_stats(options.device)
    batch = example(config, options.text_length, options.device)
    times: dict[str, float] = {}
    for mode in MODES:
        times[mode] = _best(timer, partial(_answer, model, mode), batch, graphs=graphs)
    if on_gpu:
        peak = torch.cuda.max_memory_allocated(options.device) / GB
        return Timed(times, peak, "peak allocated on the GPU", context)
    return Timed(times, (resident_gib(peak=True) - before) * GIB / GB, "peak added", context)


def _from_blocks(
    config: EvlaConfig, options: Options, timer: Timer, *, graphs: bool
) -> dict[str, float]:
    """Return the estimated milliseconds by way of decoding."""
    towers: list[dict[int, float]] = [{} for _ in config.backbones]
    decoders: dict[str, dict[int, float]] = {mode: {} for mode in MODES}
    for blocks in (_FEW, _MORE):
        model = build(_with_blocks(config, blocks), options.dtype, options.device)
        batch = example(config, options.text_length, options.device)
        images = required_images(batch)[0].float() / 255
        for found, backbone in zip(towers, model.backbones, strict=True):
            found[blocks] = _best(timer, _tower(backbone), images, graphs=graphs)
        features = model.encode_images(required_images(batch))
        cached = replace(batch, images=None, patch_features=features)
        for mode in MODES:
            work = partial(_answer, model, mode)
            decoders[mode][blocks] = _best(timer, work, cached, graphs=graphs)
        del model
    depths = [backbone.depth - 1 for backbone in config.backbones]  # the last one is never built
    vision = sum(_grown(found, depth) for found, depth in zip(towers, depths, strict=True))
    layers = config.language_model.layers
    return {mode: vision + _grown(decoders[mode], layers) for mode in MODES}


def _grown(found: dict[int, float], blocks: int) -> float:
    """Return the time of so many blocks from those of few and of more."""
    each = max(0.0, (found[_MORE] - found[_FEW]) / (_MORE - _FEW))
    return found[_FEW] + (blocks - _FEW) * each


def _with_blocks(config: EvlaConfig, blocks: int) -> EvlaConfig:
    data = config.model_dump(mode="json")
    data["language_model"]["layers"] = blocks
    for backbone in data["backbones"]:
        backbone["depth"] = blocks + 1
    return parse_config(data, config.name)


def _answer(model: EvlaModel, mode: DecodeMode, batch: ModelInput) -> torch.Tensor:
    return decode(model, batch, mode)


def _tower(backbone: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    def see(images: torch.Tensor) -> torch.Tensor:
        features: torch.Tensor = backbone(images)
        return features

    return see


def _best(timer: Timer, work: Callable[[Any], Any], given: Any, *, graphs: bool) -> float:
    """Return the milliseconds of the fastest run; on a GPU of one CUDA graph, unless eager."""
    if graphs and isinstance(given, ModelInput):
        work = CudaGraphStep(work, given)
    return min(timer(lambda: work(given)))
