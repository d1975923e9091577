# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert the network's graphs to ONNX, and run them in ONNX Runtime."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from evla_ros.model.runtimes.graph_runner import Array
from evla_ros.model.runtimes.graphs import with_given_rotary
from evla_ros.model.runtimes.libraries import load, quiet_tracing

EXTRA = "onnx"
OPSET = 17  # what TensorRT 10 and JetPack 6 read
_AXES = {
    "text": {0: "batch", 1: "prompt"},
    "mask": {0: "batch", 2: "columns", 3: "columns"},
    "cosines": {0: "batch", 1: "columns"},
    "sines": {0: "batch", 1: "columns"},
}


@torch.no_grad()
def convert(
    graph: nn.Module,
    inputs: Sequence[torch.Tensor],
    names: Sequence[str],
    outputs: Sequence[str],
    path: Path,
) -> None:
    """Write a graph as an ONNX file; weights beyond 2 GB lie in files beside it.

    Raises:
        RuntimeChoiceError: the package onnx is not installed.
    """
    load("onnx", EXTRA, "exporting to ONNX")
    pictures = {name: {0: "pictures"} for name in names if name == "images" or "features" in name}
    axes = {
        **pictures,
        "proprio": {0: "batch"},
        **_AXES,
        **{name: {0: "batch"} for name in outputs},
    }
    with with_given_rotary(graph), quiet_tracing():
        graph(*inputs)
        torch.onnx.export(
            graph.eval(),
            tuple(inputs),
            str(path),
            input_names=list(names),
            output_names=list(outputs),
            dynamic_axes={name: axes[name] for name in (*names, *outputs)},
            opset_version=OPSET,
            dynamo=False,
        )


class OnnxGraph:
    """One graph in ONNX Runtime."""

    def __init__(self, path: Path, threads: int, providers: Sequence[str] = ()) -> None:
        """Open it.

        Args:
            path: the ONNX file.
            threads: of the processor; 0 leaves the choice to ONNX Runtime.
            providers: of ONNX Runtime, the first that can compute a node does; empty: the CPU.
        """
        onnxruntime = load("onnxruntime", EXTRA, "this checkpoint")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Each graph has threads of its own; those of one must not spin while the next one computes.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        chosen = list(providers) or ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(str(path), options, providers=chosen)
        self._names = [given.name for given in self._session.get_inputs()]

    def __call__(self, inputs: Sequence[Array]) -> list[NDArray[np.float32]]:
        """Return the outputs."""
        outputs: list[NDArray[np.float32]] = self._session.run(
            None, dict(zip(self._names, inputs, strict=True))
        )
        return outputs
