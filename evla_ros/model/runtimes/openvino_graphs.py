# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert the network's graphs to OpenVINO, and run them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from evla_ros.model.runtimes.graph_runner import Array
from evla_ros.model.runtimes.graphs import with_given_rotary
from evla_ros.model.runtimes.libraries import load, quiet_tracing
from evla_ros.model.runtimes.mapped_file import release_pages
from evla_ros.model.runtimes.openvino_core import core

EXTRA = "openvino"
# Up to this size a graph is compiled anew for every prompt bucket, which is a tenth faster; above
# it one compiled graph takes every length, since each holds its own copy of the weights.
STATIC_BYTES = 64 << 20
KEPT_SHAPES = 4
_PRECISION = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}


@torch.no_grad()
def convert(graph: nn.Module, inputs: Sequence[torch.Tensor], names: Sequence[str]) -> Any:
    """Return a graph as an OpenVINO model; its weights stay shared with the module's.

    Args:
        graph: in evaluation mode.
        inputs: examples; their first axes, and those of the prompt, may change later.
        names: of the inputs.

    Raises:
        RuntimeChoiceError: OpenVINO is not installed.
    """
    openvino = load(EXTRA, "openvino", "exporting to OpenVINO")
    with with_given_rotary(graph), quiet_tracing():
        graph(*inputs)  # constants that are copied to the device once are not part of the trace
        traced = torch.jit.trace(graph.eval(), tuple(inputs), check_trace=False)
        model = openvino.convert_model(traced, example_input=tuple(inputs))
    shapes = {
        i: openvino.PartialShape(free_shape(name, t))
        for i, (name, t) in enumerate(zip(names, inputs, strict=True))
    }
    model.reshape(shapes)
    for given, name in zip(model.inputs, names, strict=True):
        given.get_tensor().set_names({name})
    return model


def free_shape(name: str, example: torch.Tensor) -> list[int]:
    """Return an input's shape with -1 where the batch or the prompt decides."""
    free = {"text": (0, 1), "mask": (0, 2, 3), "cosines": (0, 1), "sines": (0, 1)}.get(name, (0,))
    return [-1 if axis in free else size for axis, size in enumerate(example.shape)]


def save(model: Any, path: Path, dtype: str) -> list[Path]:
    """Write a model as `path`.xml and .bin; returns both."""
    openvino = load(EXTRA, "openvino", "exporting to OpenVINO")
    openvino.save_model(model, path, compress_to_fp16=dtype == "bf16")
    return [path, path.with_suffix(".bin")]


class OpenVinoGraph:
    """One graph, compiled for this processor."""

    def __init__(self, model: Any, dtype: str, threads: int, weight_bytes: int) -> None:
        """Compile it, when its first inputs come.

        Args:
            model: an OpenVINO model, or the path of one.
            dtype: `fp32`, `bf16` or `int8`.
            threads: of the processor; 0 leaves the choice to OpenVINO.
            weight_bytes: decides whether each shape is compiled for itself.
        """
        openvino = load(EXTRA, "openvino", "this checkpoint")
        self._openvino, self._core = openvino, core(openvino)
        self._weights = model.with_suffix(".bin") if isinstance(model, Path) else None
        self._unpacked: Path | None = None  # the weights' file, while it was read and not let go of
        self._model = self._core.read_model(model) if isinstance(model, Path) else model
        self._settings = {
            "INFERENCE_PRECISION_HINT": _PRECISION[dtype],
            "PERFORMANCE_HINT": "LATENCY",
            **({"INFERENCE_NUM_THREADS": threads} if threads else {}),
        }
        self._static = weight_bytes <= STATIC_BYTES
        self._requests: dict[tuple[tuple[int, ...], ...], Any] = {}

    def __call__(self, inputs: Sequence[Array]) -> list[NDArray[np.float32]]:
        """Return the outputs; they are valid until the next call."""
        request = self._request(tuple(array.shape for array in inputs))
        answer = request.infer(list(inputs), share_inputs=True, share_outputs=True)
        if self._unpacked is not None:  # weights are packed at the first call with free shapes
            release_pages(self._unpacked)
            self._unpacked = None
        return [answer[index] for index in range(len(answer))]

    def _request(self, shapes: tuple[tuple[int, ...], ...]) -> Any:
        key = shapes if self._static else ()
        if key not in self._requests:
            model = self._model
            if self._static:
                model = model.clone()
                model.reshape(
                    {i: self._openvino.PartialShape(list(s)) for i, s in enumerate(shapes)}
                )
            if len(self._requests) >= KEPT_SHAPES:
                self._requests.pop(next(iter(self._requests)))
            compiled = self._core.compile_model(model, "CPU", self._settings)
            self._requests[key] = compiled.create_infer_request()
            if not self._static:
                self._model = None  # what was compiled holds the weights in a layout of its own
            self._unpacked = self._weights
        return self._requests[key]
