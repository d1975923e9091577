# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The options of `evla bench paper`, and what the paper's Table I says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from evla_ros.bench.report import Printed
from evla_ros.options import Option

PUBLISHED = {"evla-1b": (5.0, 4.0), "openvla-7b": (20.0, 16.0)}  # ms, GB; A100-40GB, 1x7, bf16


@dataclass(frozen=True, kw_only=True)
class Options(Printed):
    """Which networks, and how they are timed."""

    models: Annotated[tuple[str, ...], Option("model presets", "PRESET")] = tuple(PUBLISHED)
    actions: Annotated[str, Option("action shape, chunk x dimension", "KxD")] = "1x7"
    dtype: Annotated[Literal["bf16", "fp16", "fp32"], Option("of the weights")] = "bf16"
    device: Annotated[str, Option("cpu, cuda, ...")] = "cpu"
    estimate: Annotated[
        Literal["auto", "always", "never"],
        Option("time single blocks; auto: where the whole is too large for the memory or a CPU"),
    ] = "auto"
    eager: Annotated[bool, Option("on a GPU: without CUDA graphs, as the paper's EVLA")] = False
    text_length: Annotated[int, Option("prompt tokens", "N", least=1)] = 24
    threads: Annotated[int, Option("of torch", "T", least=0, unset="torch's choice")] = 0
    clock: Annotated[
        Literal["wall", "cpu"], Option("cpu: processor time, for one thread of a busy machine")
    ] = "wall"
    repeat: Annotated[int, Option("at most this many runs", "N", least=1)] = 10
    seconds: Annotated[float, Option("at most this long a figure", "S", above=0)] = 10.0
