# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quantise exported graphs to int8: NNCF with real frames, ONNX Runtime at every call."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from evla_ros.machine import integer_sums_saturate
from evla_ros.model.runtimes.graph_runner import Array
from evla_ros.model.runtimes.graphs import DECODER
from evla_ros.model.runtimes.libraries import load
from evla_ros.model.runtimes.openvino_core import in_thread_of_its_own

HEADS, PROJECTOR = "heads", "projector"
_SCOPES = {HEADS: ("l1_head", "action_rows", "proprio"), PROJECTOR: ("model.projector",)}
# What is left in floating point, tried in this order until the answers are near enough.
KEPT: tuple[tuple[str, ...], ...] = (
    (),
    (HEADS,),
    (HEADS, PROJECTOR),
    (HEADS, PROJECTOR, "towers"),
    (HEADS, PROJECTOR, DECODER),
)


def stays_whole(part: str, kept: Sequence[str]) -> bool:
    """Return whether nothing of a part is quantised."""
    return part in kept or (part != DECODER and "towers" in kept)


def quantise_openvino(
    model: Any, names: Sequence[str], frames: Sequence[Sequence[Array]], kept: Sequence[str]
) -> Any:
    """Return an OpenVINO model with integer products; ranges come from the frames.

    Where this processor's sums saturate, weights take half of their range, so that none does.

    Args:
        model: to quantise.
        names: of its inputs.
        frames: inputs of several observations.
        kept: parts that stay in floating point.

    Raises:
        RuntimeChoiceError: NNCF is not installed.
    """
    nncf = load("nncf", "int8", "int8 for OpenVINO")
    nncf.set_log_level(40)
    patterns = [f".*{word}.*" for part in kept for word in _SCOPES.get(part, ())]
    saturates = integer_sums_saturate()
    fix = nncf.OverflowFix.ENABLE if saturates else nncf.OverflowFix.DISABLE
    dataset = nncf.Dataset([dict(zip(names, inputs, strict=True)) for inputs in frames])
    with redirect_stdout(sys.stderr):  # it draws its progress where `--json` prints
        return in_thread_of_its_own(
            lambda: nncf.quantize(
                model,
                dataset,
                model_type=nncf.ModelType.TRANSFORMER,
                subset_size=len(frames),
                ignored_scope=nncf.IgnoredScope(patterns=patterns, validate=False),
                advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=fix),
            )
        )


def quantise_onnx(source: Path, target: Path, kept: Sequence[str]) -> None:
    """Write an ONNX file with integer products; activations are scaled at every call.

    Where this processor's sums saturate, weights take half of their range, so that none does.

    Raises:
        RuntimeChoiceError: ONNX Runtime is not installed.
    """
    quantization = load("onnxruntime.quantization", "onnx", "int8 for ONNX Runtime")
    onnx = load("onnx", "onnx", "int8 for ONNX Runtime")
    graph = onnx.load(str(source), load_external_data=False).graph
    words = [word for part in kept for word in _SCOPES.get(part, ())]
    excluded = [node.name for node in graph.node if any(word in node.name for word in words)]
    quantization.quantize_dynamic(
        str(source),
        str(target),
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        weight_type=quantization.QuantType.QInt8,
        reduce_range=integer_sums_saturate(),
        nodes_to_exclude=excluded,
        use_external_data_format=source.stat().st_size > 1 << 30,
    )
