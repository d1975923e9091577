# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `evla eval metaworld` is asked: the policy, its tasks and seeds, and how they are played."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from evla_ros.options import Option
from evla_ros.sim.benchmarks.options import Out, Videos

PICTURE_PX = 96  # side of each picture a policy of ours sees


@dataclass(frozen=True)
class MetaWorldEvaluation:
    """What is evaluated; the policy and the expert play every task with the same seeds."""

    policy: Annotated[
        str,
        Option(
            "a checkpoint folder, evla: the one that ships, or a baseline: expert, random, hold",
            "POLICY",
        ),
    ] = "expert"
    tasks: Annotated[
        tuple[str, ...],
        Option("such as reach-v3 or reach; mt50: all 50", "TASK", unset="mt50", commas=True),
    ] = ()
    group: Annotated[
        Literal["easy", "medium", "hard", "very_hard"] | None,
        Option("the tasks of one difficulty", unset="all"),
    ] = None
    episodes: Annotated[int, Option("per task", "N", least=1)] = 10
    seed: Annotated[int, Option("of the first episode", "S", least=0, most=999_999)] = 0
    workers: Annotated[int, Option("processes", "W", least=1)] = 1
    expert_episodes: Annotated[
        int, Option("of the scripted expert beside the policy, per task", "N", least=0)
    ] = 3
    execute: Annotated[
        int,
        Option("actions of a chunk played before the next look", "N", least=0, unset="half of it"),
    ] = 0
    steps: Annotated[int, Option("of an episode, at most", "N", least=1, most=500)] = 500
    videos: Videos = None
    video_quality: Annotated[
        Literal["pretty", "fast"], Option("pretty has shadows and costs ten times as much")
    ] = "fast"
    image_size: Annotated[int, Option("of each picture", "PX", least=8)] = PICTURE_PX
    device: Annotated[str, Option("of the network: cpu, cuda, ...")] = "cpu"
    runtime: Annotated[
        Literal["auto", "torch", "openvino", "onnx"] | None,
        Option("computes the network", unset="as exported, else torch"),
    ] = None
    threads: Annotated[
        int, Option("of the network on the CPU, per worker", "N", least=0, unset="all, shared")
    ] = 0
    out: Out = None
