# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The options of `evla bench model`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal

from evla_ros.bench.report import Printed
from evla_ros.options import Option


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """Which checkpoint and dataset int8 is compared with fp32 on."""

    checkpoint: Annotated[
        str, Option("compare int8 with fp32 on this checkpoint, nothing else", "DIR", unset="none")
    ] = ""
    dataset: Annotated[
        str, Option("with --checkpoint: whose frames it sees", "DIR", unset="none")
    ] = ""
    split: Annotated[str, Option("with --checkpoint: of the dataset")] = "val"
    frames: Annotated[int, Option("with --checkpoint: at most", "N", least=1)] = 200


@dataclass(frozen=True, kw_only=True)
class Options(Printed):
    """What is measured, on which device, and for how long."""

    preset: Annotated[str, Option("a model preset (random weights)")] = "evla-1b"
    actions: Annotated[tuple[str, ...], Option("action shapes, chunk x dimension", "KxD")] = (
        "1x7",
        "8x7",
    )
    dtypes: Annotated[
        tuple[Literal["fp32", "bf16", "fp16", "int8"], ...], Option("of the weights")
    ] = ("bf16", "int8")
    runtimes: Annotated[
        tuple[Literal["torch", "openvino", "onnx"], ...],
        Option("in one run; those but torch are exported first, and decode jointly"),
    ] = ("torch",)
    markdown: Annotated[bool, Option("print the steps as a table for a page")] = False
    threads: Annotated[int, Option("of torch", "T", least=0, unset="torch's choice")] = 0
    device: Annotated[str, Option("cpu, cuda, ...")] = "cpu"
    text_length: Annotated[int, Option("prompt tokens", "N", least=1)] = 24
    cameras: Annotated[int, Option("pictures of an observation", "N", least=1)] = 1
    repeat: Annotated[int, Option("at most this many runs of a stage", "N", least=1)] = 10
    seconds: Annotated[float, Option("at most this long a stage", "S", above=0)] = 8.0
    compile: Annotated[bool, Option("compile the transformer blocks")] = False
    no_autoregressive: Annotated[bool, Option("joint decoding only")] = False
    only: Annotated[
        tuple[str, ...], Option("rows such as llm, step.joint", "ROW", unset="all")
    ] = ()
    clock: Annotated[
        Literal["wall", "cpu"], Option("cpu: processor time, for one thread of a busy machine")
    ] = "wall"
    agreement: Agreement = field(default_factory=Agreement)


TIMED = (
    *("stage.image_processing", "stage.dinov2", "stage.siglip", "stage.projector", "stage.head"),
    *("llm.joint", "llm.autoregressive", "step.joint", "step.autoregressive"),
)  # the rows that --only chooses from
