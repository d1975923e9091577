# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rows of one network in another runtime than torch: exported, measured, with its floors."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import torch

from evla_ros.bench.memory import resident_gib, trim
from evla_ros.bench.model_options import Options
from evla_ros.bench.model_rows import DTYPES, ModelBench
from evla_ros.bench.model_work import count_flops, example, required_images, weight_bytes
from evla_ros.bench.openvino_stepwise import OpenVinoStepwise
from evla_ros.bench.report import Row
from evla_ros.bench.roofline import Roofline
from evla_ros.model.building import random_model
from evla_ros.model.checkpoint import read_parts, save_checkpoint
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.runtimes.export import EMBEDDINGS, export
from evla_ros.model.runtimes.exported_network import ExportedNetwork
from evla_ros.model.runtimes.frames import frames_of, noise_frames
from evla_ros.model.runtimes.graphs import DECODER
from evla_ros.model.runtimes.opening import Asked, open_network
from evla_ros.model.text_tokenizer import train_tokenizer

RUNS = {"openvino": ("fp32", "bf16", "int8"), "onnx": ("fp32", "int8")}
CALIBRATION = 2


class RuntimeBench(ModelBench):
    """One preset in one runtime and dtype with one action shape.

    Autoregressive decoding is measured in OpenVINO; a checkpoint is exported for joint decoding.
    """

    def __init__(
        self, options: Options, runtime: str, dtype: str, shape: str, roofline: Roofline
    ) -> None:
        super().__init__(options, dtype, shape, roofline)
        self.runtime = runtime
        self.context = {**self.context, "runtime": runtime, "mode": "exported"}

    def rows(self) -> Iterator[Row]:
        """Export the network with random weights, measure it, and yield every row."""
        with tempfile.TemporaryDirectory(prefix="evla_bench_") as folder:
            network = self._exported(Path(folder))
            yield from self._measured(network, Path(folder))

    def _exported(self, folder: Path) -> ExportedNetwork:
        stored = torch.bfloat16 if self.config.vision_width > 1024 else torch.float32
        model = random_model(self.config, "cpu", stored)
        save_checkpoint(
            folder / "torch", model, train_tokenizer(["lift"], 300), DatasetStatistics({})
        )
        del model
        trim()
        parts = read_parts(folder / "torch", verify=False)
        frames = noise_frames(parts)
        if self.dtype == "int8":
            each = [frames.one(index) for index in range(len(frames))]
            frames = frames_of(each[:CALIBRATION], each[CALIBRATION:])
        target = folder / "exported"
        export(parts, target, self.runtime, self.dtype, frames, lambda _: None, check=False)  # type: ignore[arg-type]
        asked = Asked(None, torch.device("cpu"), None, None, None, static_shapes=False)
        batch = example(self.config, self.text_length, "cpu")
        network = open_network(read_parts(target, verify=False), asked, batch).network
        assert isinstance(network, ExportedNetwork)  # noqa: S101 - what was exported just now
        return network

    def _measured(self, network: ExportedNetwork, folder: Path) -> Iterator[Row]:
        flops = count_flops(self.config, self.text_length)
        batch = example(self.config, self.text_length, "cpu")
        weights = self._weight_bytes()
        pictures = required_images(batch).flatten(0, 1).numpy()
        for index, backbone in enumerate(self.config.backbones):
            floor = self._floor(flops[backbone.kind], weights[f"tower{index}"])
            tower = network.graph(f"tower{index}")
            yield from self._row(f"stage.{backbone.kind}", partial(tower, [pictures]), floor)
        features = [array.copy() for array in network.features(batch)]
        joint = self._floor(flops["llm"] + flops["projector"], weights[DECODER])
        fast = yield from self._row("llm.joint", lambda: network.decoded(features, batch), joint)
        floor = self._floor(flops["step"], sum(weights.values()))
        step = self._whole_step(network.decode, batch)
        yield from self._row("step.joint", step, floor)
        yield Row("model.memory.resident", resident_gib(), "GiB", None, None, self.context)
        if self.autoregressive and self.runtime == "openvino" and self._asked("llm"):
            del network
            trim()
            stepwise = OpenVinoStepwise(
                read_parts(folder / "torch", verify=False), features, batch,
                folder / "exported" / EMBEDDINGS, self.dtype, torch.get_num_threads(),
            )  # fmt: skip
            yield from self._stepwise(
                lambda: stepwise.decode(features), fast, flops, weights[DECODER]
            )

    def _asked(self, row: str) -> bool:
        return any(row.startswith(only) or only.startswith(row) for only in self.only)

    def _weight_bytes(self) -> dict[str, float]:
        """Return what each part reads of its weights at least, in this number format."""
        with torch.device("meta"):
            model = random_model(self.config, "meta", DTYPES["fp32"])
        size = {"fp32": 1.0, "bf16": 0.5, "int8": 0.25}[self.dtype]
        towers = {f"tower{i}": size * weight_bytes(b) for i, b in enumerate(model.backbones)}
        return {**towers, DECODER: size * weight_bytes(model.language_model.body.layers)}
