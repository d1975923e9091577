# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Faster steps where shapes do not change: compiled blocks on a CPU, one CUDA graph on a GPU."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from evla_ros.model.errors import ModelConfigError
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import ModelInput

Step = Callable[[ModelInput], Tensor]
WARM_UP_STEPS = 3
_SHAPE = (288, 1024, 2048)  # tokens, in, out
_RUNS = 5


def compile_blocks(model: EvlaModel) -> EvlaModel:
    """Compile every transformer block of a model, in place.

    Equal blocks share one compiled kernel, so 75 blocks compile in seconds; compiling the network
    as a whole takes minutes.

    Raises:
        ModelConfigError: the generated kernels of a CPU need a C++ compiler, and there is none.
    """
    compilers = (os.environ.get("CXX", ""), "g++", "clang++")
    if model.slot_embedding.device.type == "cpu" and not any(map(shutil.which, compilers)):
        raise ModelConfigError(
            "compiling the model needs a C++ compiler; install g++ or run without static shapes"
        )
    for block in model.blocks():
        block.compile(dynamic=False)
    return model


class CudaGraphStep:
    """A decoding step that is captured once and replayed with new inputs of the same shapes.

    On a data-centre GPU a step of one sample is bound by the cost of launching kernels, not by
    arithmetic; a replay is a single launch.
    """

    def __init__(self, step: Step, example: ModelInput, pool: Any = None) -> None:
        """Capture a step.

        Args:
            step: what is captured.
            example: inputs of the shapes of every later call.
            pool: the memory of a graph that never runs at the same time, see `pool`.
        """
        self._inputs = example
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_STEPS):
                step(example)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, pool=pool):
            self._output = step(example)

    @property
    def pool(self) -> Any:
        """The memory of the graph, which others may share: an output is copied before the next."""
        return self._graph.pool()

    def __call__(self, batch: ModelInput) -> Tensor:
        """Copy the batch into the captured inputs, replay, and return a copy of the output."""
        for name, captured in vars(self._inputs).items():
            if captured is not None:
                captured.copy_(getattr(batch, name))
        self._graph.replay()
        return self._output.clone()


def fastest_precision(device: torch.device) -> str:
    """Return `bf16` or `fp32`, whichever multiplies faster here; measured on a CPU in 0.1 s."""
    if device.type != "cpu":
        return "bf16"
    seconds = {name: _product_seconds(kind) for name, kind in _PRECISIONS.items()}
    return min(seconds, key=lambda name: seconds[name])


_PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


@torch.inference_mode()
def _product_seconds(dtype: torch.dtype) -> float:
    tokens, width, out = _SHAPE
    inputs, weight = torch.ones(tokens, width, dtype=dtype), torch.ones(out, width, dtype=dtype)
    times = []
    for _ in range(_RUNS):
        start = time.perf_counter()
        torch.nn.functional.linear(inputs, weight)
        times.append(time.perf_counter() - start)
    return min(times)
