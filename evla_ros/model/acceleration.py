# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Static-shape accelerations: regional compilation, and one CUDA graph for the whole step."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable

import torch
from torch import Tensor

from evla_ros.model.errors import ModelConfigError
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import ModelInput

Step = Callable[[ModelInput], Tensor]
WARM_UP_STEPS = 3


def compile_blocks(model: EvlaModel) -> EvlaModel:
    """Compile every transformer block in place; equal blocks share one compiled kernel.

    Compiling 75 blocks one kind at a time takes seconds where the whole graph takes minutes.

    Raises:
        ModelConfigError: no C++ compiler, which the generated kernels of a CPU need.
    """
    compilers = (os.environ.get("CXX", ""), "g++", "clang++")
    if model.slot_embedding.device.type == "cpu" and not any(map(shutil.which, compilers)):
        raise ModelConfigError(
            "compiling the model needs a C++ compiler; install g++ or run without static shapes"
        )
    towers = [backbone.get_submodule("blocks") for backbone in model.backbones]
    for group in (*towers, model.language_model.body.get_submodule("layers")):
        for block in group.children():
            block.compile(dynamic=False)
    return model


class CudaGraphStep:
    """A decoding step captured once and replayed with new inputs of the same shapes.

    Launch overhead, not arithmetic, bounds a one-sample step on a data-centre GPU; a replay has
    one launch.
    """

    def __init__(self, step: Step, example: ModelInput) -> None:
        self._inputs = example
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_STEPS):
                step(example)
        torch.cuda.current_stream().wait_stream(stream)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._output = step(example)

    def __call__(self, batch: ModelInput) -> Tensor:
        """Copy the batch into the captured inputs, replay, and return a copy of the output."""
        for name, captured in vars(self._inputs).items():
            if captured is not None:
                captured.copy_(getattr(batch, name))
        self._graph.replay()
        return self._output.clone()
