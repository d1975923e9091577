# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Open a checkpoint in the runtime that is asked for, or in the fastest that is there."""

from __future__ import annotations

import time
from dataclasses import dataclass

import torch

from evla_ros.errors import nearest
from evla_ros.machine import integer_sums_saturate
from evla_ros.model.acceleration import fastest_precision
from evla_ros.model.checkpoint import Parts, build_model
from evla_ros.model.config import DecodeMode, HeadName
from evla_ros.model.decode import check_decoding
from evla_ros.model.errors import ModelConfigError, RuntimeChoiceError
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.model_input import ModelInput
from evla_ros.model.runtimes.embedding_rows import EmbeddingRows
from evla_ros.model.runtimes.exported_network import ExportedNetwork
from evla_ros.model.runtimes.graph_runner import GraphRunner
from evla_ros.model.runtimes.graphs import part_names
from evla_ros.model.runtimes.in_memory import (
    MOST_BYTES,
    check_in_memory,
    openvino_network,
    weight_bytes,
)
from evla_ros.model.runtimes.libraries import check_runtime, is_installed
from evla_ros.model.runtimes.manifest import Manifest, is_exported, read_manifest
from evla_ros.model.runtimes.network import Network
from evla_ros.model.runtimes.onnx_graphs import OnnxGraph
from evla_ros.model.runtimes.openvino_graphs import OpenVinoGraph
from evla_ros.model.runtimes.selection import fastest
from evla_ros.model.runtimes.torch_network import TorchNetwork

DTYPES = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
    "int8": None,  # quantised from the stored dtype
}


@dataclass(frozen=True)
class Asked:
    """How a checkpoint is to be run; the fields are those of `Predictor`."""

    runtime: str | None
    device: torch.device
    dtype: str | None
    decode: DecodeMode | None
    output: HeadName | None
    static_shapes: bool


@dataclass(frozen=True)
class Opened:
    """A network, and what is to be said of how it was chosen; empty: nothing was."""

    network: Network
    note: str = ""


def open_network(parts: Parts, asked: Asked, example: ModelInput) -> Opened:
    """Load a checkpoint into a runtime.

    Args:
        parts: the checkpoint, without its weights.
        asked: how.
        example: an observation of the robot, for measuring which runtime is faster.

    Raises:
        RuntimeChoiceError: the runtime is unknown, not installed, or cannot do what is asked.
        CheckpointError: the weights or graphs cannot be read.
    """
    if asked.runtime is not None:
        check_runtime(asked.runtime)
    if asked.dtype is not None and asked.dtype not in (*DTYPES, "auto"):
        choices = [*DTYPES, "auto"]
        raise ModelConfigError(f"unknown dtype {asked.dtype!r}; {nearest(asked.dtype, choices)}")
    check_decoding(parts.config.action, asked.decode, asked.output)
    if is_exported(parts.path):
        return Opened(_exported(parts, asked))
    if asked.runtime == "onnx":
        raise RuntimeChoiceError(
            f"the checkpoint {parts.path} holds no ONNX graphs: run "
            f"`evla export onnx {parts.path} OUT` and use OUT"
        )
    if asked.runtime == "openvino":
        return Opened(_converted(parts, asked))
    if asked.runtime == "auto":
        return _fastest(parts, asked, example)
    return Opened(_torch(parts, asked))


def _torch(parts: Parts, asked: Asked) -> TorchNetwork:
    dtype = asked.dtype
    if dtype == "auto" or (dtype is None and asked.device.type == "cuda"):
        dtype = fastest_precision(asked.device)
    kind = DTYPES[dtype] if dtype else None
    if dtype == "int8" and asked.device.type != "cpu":
        kind = torch.bfloat16  # what lies between the integer products
    return TorchNetwork(
        build_model(parts, asked.device, kind),
        asked.decode,
        asked.output,
        int8=dtype == "int8",
        static_shapes=asked.static_shapes,
    )


def _fastest(parts: Parts, asked: Asked, example: ModelInput) -> Opened:
    """Return torch, or OpenVINO where it computes the same numbers faster."""
    network = _torch(parts, asked)
    if _reason_against(network.model, asked) or not is_installed("openvino"):
        return Opened(network)
    output = asked.output or parts.config.action.output
    other = openvino_network(network.model, output, "fp32", torch.get_num_threads())
    networks: dict[str, Network] = {network.name: network, other.name: other}
    for one in networks.values():
        one.decode(example)
    choice = fastest(
        {name: lambda one=one: one.decode(example) for name, one in networks.items()},  # type: ignore[misc]
        time.perf_counter,
    )
    return Opened(networks[choice.name], choice.text())


def _reason_against(model: EvlaModel, asked: Asked) -> str:
    """Return why a checkpoint of weights is not converted while it is loaded; empty: nothing."""
    mode = asked.decode or model.config.action.decode
    if mode != "joint":
        return f"decode {mode!r}: exported networks decode jointly"
    if model.config.action.readout != "own":
        return (
            f"readout {model.config.action.readout!r}: exported networks read the slot's own state"
        )
    if asked.device.type != "cpu":
        return f"device {str(asked.device)!r}: OpenVINO runs on the cpu here"
    if asked.static_shapes:
        return "static shapes: OpenVINO compiles for itself"
    if model.dtype != torch.float32:
        return f"dtype {str(model.dtype).removeprefix('torch.')!r}"
    return "" if weight_bytes(model) <= MOST_BYTES else "weights of this size"


def _converted(parts: Parts, asked: Asked) -> ExportedNetwork:
    dtype = "fp32" if asked.dtype is None else asked.dtype
    if dtype not in ("fp32", "bf16"):
        raise RuntimeChoiceError(
            f"dtype {dtype!r}: a checkpoint that is converted while it is loaded is fp32 or bf16; "
            f"for int8 run `evla export openvino {parts.path} OUT --dtype int8 --calibrate DATASET`"
        )
    model = build_model(parts, asked.device, torch.float32)
    reason = _reason_against(model, asked)
    check_in_memory(model, str(parts.path))
    if reason:
        raise RuntimeChoiceError(f"runtime 'openvino' does not go with {reason}")
    output = asked.output or parts.config.action.output
    return openvino_network(model, output, dtype, torch.get_num_threads())


def _exported(parts: Parts, asked: Asked) -> ExportedNetwork:
    manifest = read_manifest(parts.path, part_names(parts.config))
    _check_exported(parts, manifest, asked)
    threads = torch.get_num_threads()
    graphs: dict[str, GraphRunner] = {}
    for part, name in manifest.graphs.items():
        path = parts.path / name
        if manifest.runtime == "onnx":
            graphs[part] = OnnxGraph(path, threads)
        else:
            size = path.with_suffix(".bin").stat().st_size
            graphs[part] = OpenVinoGraph(path, manifest.dtype, threads, size)
    rows = EmbeddingRows(parts.path / manifest.text_embeddings)
    output = asked.output or parts.config.action.output
    name = f"{manifest.runtime} {manifest.dtype} {asked.device}"
    return ExportedNetwork(parts.config, graphs, rows, output, name)


def _check_exported(parts: Parts, manifest: Manifest, asked: Asked) -> None:
    """Refuse what an exported checkpoint cannot do; a setting is never ignored."""
    what = f"the checkpoint {parts.path} was exported for {manifest.runtime} in {manifest.dtype}"
    if manifest.wide_sums and integer_sums_saturate():
        raise RuntimeChoiceError(
            f"{what} on a processor with VNNI; this one has none, and its integer products would "
            "saturate without a word: export it again on this machine, or in fp32"
        )
    if asked.runtime not in (None, "auto", manifest.runtime):
        raise RuntimeChoiceError(
            f"{what}: it cannot run in {asked.runtime}; leave the runtime out, or use the "
            "checkpoint that it was made from"
        )
    if asked.dtype not in (None, manifest.dtype):
        raise RuntimeChoiceError(f"{what}: dtype {asked.dtype!r} has no effect; leave it out")
    if asked.decode not in (None, "joint"):
        raise RuntimeChoiceError(f"{what} and decodes jointly; decode {asked.decode!r} is torch's")
    if asked.device.type != "cpu":
        raise RuntimeChoiceError(f"{what} and runs on the cpu, not on {str(asked.device)!r}")
    if asked.static_shapes:
        raise RuntimeChoiceError(f"{what}: static shapes have no effect; leave them out")
