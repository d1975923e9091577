# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rows of one network in one dtype: joint beside autoregressive, each with its floor."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from evla_ros.bench import model_goals
from evla_ros.bench.memory import GIB, mark_peak, resident_gib, trim
from evla_ros.bench.model_options import Options
from evla_ros.bench.model_work import count_flops, example, required_images, weight_bytes
from evla_ros.bench.report import Row
from evla_ros.bench.roofline import Roofline, Timer
from evla_ros.errors import EvlaError
from evla_ros.model.acceleration import CudaGraphStep, compile_blocks
from evla_ros.model.building import random_model
from evla_ros.model.config import EvlaConfig
from evla_ros.model.decode import decode
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.fusion import fuse_projections
from evla_ros.model.image_processor import ImageProcessor
from evla_ros.model.int8 import quantize_int8
from evla_ros.model.model_input import ModelInput
from evla_ros.model.presets import load_preset

DTYPES = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "int8": torch.bfloat16,
}
FRAME = (480, 640)


class ModelBench:
    """One preset in one dtype with one action shape."""

    def __init__(self, options: Options, dtype: str, shape: str, roofline: Roofline) -> None:
        self.dtype, self.shape, self.roofline = dtype, shape, roofline
        self.preset, self.device = options.preset, options.device
        self.text_length = options.text_length
        self.autoregressive = not options.no_autoregressive
        self.only = options.only or ("",)
        self.config = bench_config(options.preset, shape, options.cameras)
        self.processor = ImageProcessor(self.config.image)
        frame = np.zeros((*FRAME, 3), np.uint8)
        self.frames = dict.fromkeys(self.config.image.cameras, frame)
        self.timer = Timer(options.repeat, options.seconds, options.device, options.clock)
        self.compiled = options.compile
        self.context: dict[str, Any] = {
            "preset": options.preset, "actions": shape, "dtype": dtype, "device": options.device,
            "threads": torch.get_num_threads(), "mode": "compiled" if options.compile else "eager",
            "clock": options.clock, "runtime": "torch",
        }  # fmt: skip

    @torch.inference_mode()
    def rows(self) -> Iterator[Row]:
        """Build the model, measure it, and yield every row."""
        trim()
        if self.device.startswith("cuda"):
            torch.cuda.reset_peak_memory_stats(self.device)
        before = resident_gib()
        model = build(self.config, self.dtype, self.device)
        if self.compiled:
            compile_blocks(model)
        trim()
        mark_peak()
        flops = count_flops(self.config, self.text_length)
        batch = example(self.config, self.text_length, self.device)
        features = model.encode_images(required_images(batch))
        cached = replace(batch, images=None, patch_features=features)
        yield from self._stages(model, batch, flops)
        yield from self._decoders(model, batch, cached, flops)
        yield from self._memory(before)

    def _memory(self, before: float) -> Iterator[Row]:
        goal = model_goals.memory_gib(self.device, self.preset, self.dtype)
        peak = resident_gib(peak=True)
        on_cpu = self.device == "cpu"
        yield Row(
            "model.memory.resident_peak", peak, "GiB", None, goal if on_cpu else None, self.context
        )
        yield Row("model.memory.added", peak - before, "GiB", None, None, self.context)
        if not on_cpu:
            allocated = torch.cuda.max_memory_allocated(self.device) / GIB
            yield Row("model.memory.device_peak", allocated, "GiB", None, goal, self.context)

    def _stages(
        self, model: EvlaModel, batch: ModelInput, flops: dict[str, float]
    ) -> Iterator[Row]:
        yield from self._row("stage.image_processing", lambda: self.processor(self.frames))
        images = required_images(batch)[0].float() / 255
        for backbone in model.backbones:
            kind = backbone.config.kind
            floor = self._floor(flops[kind], weight_bytes(backbone))
            yield from self._row(f"stage.{kind}", partial(backbone, images), floor)
        features = model.encode_images(required_images(batch)).to(model.dtype)
        floor = self._floor(flops["projector"], weight_bytes(model.projector))
        yield from self._row("stage.projector", lambda: model.projector(features), floor)
        slots = torch.zeros(
            1, self.config.action.slots, model.slot_embedding.shape[1],
            dtype=model.dtype, device=self.device,
        )  # fmt: skip
        yield from self._row("stage.head", lambda: model.action_logits(slots))

    def _decoders(
        self, model: EvlaModel, batch: ModelInput, cached: ModelInput, flops: dict[str, float]
    ) -> Iterator[Row]:
        body = weight_bytes(model.language_model.body.layers)
        joint_floor = self._floor(flops["llm"] + flops["projector"], body)
        joint = yield from self._row(
            "llm.joint", self._decoder(lambda b: decode(model, b, "joint"), cached), joint_floor
        )
        step_floor = self._floor(flops["step"], weight_bytes(model.backbones) + body)
        goal = model_goals.step_ms(self.device, self.preset, self.dtype)
        step = self._whole_step(lambda b: decode(model, b, "joint"), batch)
        yield from self._row("step.joint", step, step_floor, goal)
        if not self.autoregressive:
            return
        stepwise = self._decoder(lambda b: decode(model, b, "autoregressive"), cached)
        floor = yield from self._stepwise(stepwise, joint, flops, body)
        vision_floor = self._floor(flops["step"] - flops["llm"], weight_bytes(model.backbones))
        slow_step = self._whole_step(lambda b: decode(model, b, "autoregressive"), batch)
        yield from self._row("step.autoregressive", slow_step, floor + vision_floor)

    def _stepwise(
        self, work: Callable[[], object], joint: float, flops: dict[str, float], body: float
    ) -> Any:
        """Yield the rows of autoregressive decoding; returns its floor.

        Args:
            work: decodes one token after the other.
            joint: milliseconds of joint decoding.
            flops: of the stages.
            body: bytes of the decoder's blocks.
        """
        steps = self.config.action.slots - 1
        prefill = flops["llm"] * self._prefix_share()
        floor = self._floor(prefill + flops["projector"], body) + steps * self._floor(
            (flops["llm"] - prefill) / self.config.action.slots, body
        )
        joint_floor = self._floor(flops["llm"] + flops["projector"], body)
        slow = yield from self._row("llm.autoregressive", work, floor)
        context = {**self.context, "ratio_of_floors": round(floor / joint_floor, 2)}
        if not math.isnan(slow / joint):
            goal = model_goals.JOINT_SPEEDUP.get(self.shape)
            yield Row("model.llm.joint_speedup", slow / joint, "x", None, goal, context)
        return floor

    def _decoder(
        self, step: Callable[[ModelInput], torch.Tensor], batch: ModelInput
    ) -> Callable[[], torch.Tensor]:
        """Return what decodes cached patch features; on a GPU it is one CUDA graph."""
        network = CudaGraphStep(step, batch) if self.device.startswith("cuda") else step
        return lambda: network(batch)

    def _whole_step(
        self, step: Callable[[ModelInput], torch.Tensor], batch: ModelInput
    ) -> Callable[[], torch.Tensor]:
        """Return the step from camera frames to actions; on a GPU the network is one CUDA graph."""
        network = CudaGraphStep(step, batch) if self.device.startswith("cuda") else step

        def run() -> torch.Tensor:
            images = self.processor(self.frames)[None].to(self.device)
            return network(replace(batch, images=images)).cpu()

        return run

    def _prefix_share(self) -> float:
        config = self.config
        prefix = len(config.image.cameras) * config.patches_per_camera + self.text_length
        return prefix / (prefix + config.action.slots)

    def _floor(self, flops: float, moved: float) -> float:
        return 1e3 * self.roofline.seconds(flops, moved)

    def _row(
        self, name: str, work: Callable[[], object], floor: float | None = None,
        goal: float | None = None,
    ) -> Any:  # fmt: skip
        if not name.startswith(self.only):
            return math.nan
        times = self.timer(work)
        p50, p95 = float(np.percentile(times, 50)), float(np.percentile(times, 95))
        best = min(times)
        reached = {} if floor is None else {"of_floor": round(floor / best, 3)}
        context = {
            **self.context,
            "p90": round(float(np.percentile(times, 90)), 2),
            "p95": round(p95, 2),
            "best": round(best, 2),
            "runs": len(times),
            **reached,
        }
        yield Row(f"model.{name}", p50, "ms", floor, goal, context)
        return p50


def bench_config(preset: str, shape: str, cameras: int) -> EvlaConfig:
    """Return a preset with an action shape such as `8x7`; EvlaError for another form."""
    try:
        chunk, dim = (int(number) for number in shape.split("x"))
    except ValueError as error:
        raise EvlaError(f"action shape {shape!r} is not CHUNKxDIM, such as 8x7") from error
    names = [f"camera{index}" for index in range(cameras)]
    return load_preset(preset, chunk=chunk, dim=dim, cameras=names)


def build(config: EvlaConfig, dtype: str, device: str) -> EvlaModel:
    """Return a model with random weights, prepared as the predictor prepares a checkpoint."""
    model = fuse_projections(random_model(config, device, DTYPES[dtype]))
    if dtype == "int8":
        quantize_int8(model)
        if device == "cpu":
            model.float()
    return model
