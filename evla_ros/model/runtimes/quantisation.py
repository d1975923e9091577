# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Quantise exported graphs to int8: NNCF with real frames, ONNX Runtime at every call."""

from __future__ import annotations

import re
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

HEADS, PROJECTOR, TOWERS = "heads", "projector", "towers"
FIRST_HALF = "first half of the decoder"
# What is left in floating point, tried in this order until the answers are near enough.
KEPT: tuple[tuple[str, ...], ...] = (
    (),
    (HEADS,),
    (HEADS, PROJECTOR),
    (HEADS, PROJECTOR, TOWERS),
    (HEADS, PROJECTOR, TOWERS, FIRST_HALF),
    (HEADS, PROJECTOR, DECODER),
)


def stays_whole(part: str, kept: Sequence[str]) -> bool:
    """Return whether nothing of a part is quantised."""
    return part in kept or (part != DECODER and TOWERS in kept)


def kept_operations(kept: Sequence[str], layers: int) -> re.Pattern[str]:
    """Return what the names of operations that stay in floating point match, in either library.

    Args:
        kept: parts that stay in floating point.
        layers: of the decoder.
    """
    half = "|".join(str(layer) for layer in range(layers // 2))
    names = {
        HEADS: "(l1_head|action_rows|proprio)[./]",
        PROJECTOR: "projector[./]",
        FIRST_HALF: rf"layers\.({half})[./]" if half else "",
    }
    wanted = [names[part] for part in kept if names.get(part)]
    return re.compile(f".*({'|'.join(wanted)}).*" if wanted else "(?!)")


def quantise_openvino(
    model: Any,
    names: Sequence[str],
    frames: Sequence[Sequence[Array]],
    kept: re.Pattern[str] | None = None,
) -> Any:
    """Return an OpenVINO model with integer products; ranges come from the frames.

    Where this processor's sums saturate, weights take half of their range, so that none does.

    Args:
        model: to quantise.
        names: of its inputs.
        frames: inputs of several observations.
        kept: what the names of the operations match that stay in floating point; None: none does.

    Raises:
        RuntimeChoiceError: NNCF is not installed.
    """
    nncf = load("nncf", "int8", "int8 for OpenVINO")
    nncf.set_log_level(40)
    operations = [operation.get_friendly_name() for operation in model.get_ops()]
    ignored = [name for name in operations if kept is not None and kept.match(name)]
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
                ignored_scope=nncf.IgnoredScope(names=ignored, validate=False),
                advanced_parameters=nncf.AdvancedQuantizationParameters(overflow_fix=fix),
            )
        )


def quantise_onnx(source: Path, target: Path, kept: re.Pattern[str]) -> None:
    """Write an ONNX file with integer products; activations are scaled at every call.

    Where this processor's sums saturate, weights take half of their range, so that none does.

    Raises:
        RuntimeChoiceError: ONNX Runtime is not installed.
    """
    quantization = load("onnxruntime.quantization", "onnx", "int8 for ONNX Runtime")
    onnx = load("onnx", "onnx", "int8 for ONNX Runtime")
    graph = onnx.load(str(source), load_external_data=False).graph
    excluded = [node.name for node in graph.node if kept.match(node.name)]
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
