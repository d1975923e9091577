# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert a loaded network to OpenVINO in this process; for networks small enough to do so."""

from __future__ import annotations

import torch

from evla_ros.model.config import EvlaConfig, HeadName
from evla_ros.model.errors import RuntimeChoiceError
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.runtimes import openvino_graphs
from evla_ros.model.runtimes.embedding_rows import EmbeddingRows, scaled_table
from evla_ros.model.runtimes.examples import examples
from evla_ros.model.runtimes.exported_network import ExportedNetwork
from evla_ros.model.runtimes.graphs import DECODER, DecoderGraph, TowerGraph

MOST_BYTES = 64 << 20  # of weights; converting more takes long, so it is done once, to a file


def weight_bytes(model: EvlaModel) -> int:
    """Return the bytes of a model's weights."""
    return sum(tensor.nbytes for tensor in model.parameters())


def check_in_memory(model: EvlaModel, checkpoint: str) -> None:
    """Refuse to convert a large network whenever it is loaded.

    Raises:
        RuntimeChoiceError: names the command that converts it once.
    """
    size = weight_bytes(model)
    if size > MOST_BYTES:
        raise RuntimeChoiceError(
            f"the checkpoint {checkpoint} has {size / 1e6:.0f} MB of weights; above "
            f"{MOST_BYTES / 1e6:.0f} MB it is not converted at each start: run "
            f"`evla export openvino {checkpoint} OUT` once and use OUT"
        )


def openvino_network(
    model: EvlaModel, output: HeadName, dtype: str, threads: int
) -> ExportedNetwork:
    """Return a model that is in memory as a network in OpenVINO, sharing its weights.

    Args:
        model: in evaluation mode, with weights in float32.
        output: the head that answers.
        dtype: `fp32` or `bf16`: what OpenVINO computes in.
        threads: of the processor; 0 leaves the choice to OpenVINO.
    """
    config: EvlaConfig = model.config
    graphs = {}
    for part, inputs in examples(config).items():
        graph: torch.nn.Module
        graph = (
            DecoderGraph(model)
            if part == DECODER
            else TowerGraph(model.backbones[int(part.removeprefix("tower"))])
        )
        converted = openvino_graphs.convert(graph, list(inputs.values()), list(inputs))
        graphs[part] = openvino_graphs.OpenVinoGraph(converted, dtype, threads, weight_bytes(model))
    rows = EmbeddingRows(scaled_table(model.language_model))
    return ExportedNetwork(config, graphs, rows, output, f"openvino {dtype} cpu")
