# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `evla eval sim` is asked: the policy, its tasks and seeds, and how they are played."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from evla_ros.options import Option


@dataclass(frozen=True)
class Evaluation:
    """What is evaluated, and how; policy and baselines play every task with the same seeds."""

    policy: Annotated[
        str,
        Option("a checkpoint folder, remote, or a baseline: expert, random, hold", "POLICY"),
    ]
    world: Annotated[str, Option("the simulated world")] = "tabletop_arm"
    tasks: Annotated[
        tuple[str, ...], Option("task families, instructions in quotes, all, or held-out", "TASK")
    ] = ("all",)
    episodes: Annotated[int, Option("per task", "N", least=1)] = 20
    seed: Annotated[int, Option("of the first episode", "S", least=0)] = 0
    workers: Annotated[int, Option("processes", "W", least=1)] = 1
    baselines: Annotated[
        tuple[Literal["expert", "random", "hold", "none"], ...],
        Option("reported beside the policy; none for none", "BASELINE"),
    ] = ("expert", "random", "hold")
    baseline_episodes: Annotated[int, Option("at most so many per task", "N", least=0)] = 10
    videos: Annotated[
        str | None,
        Option(
            "an MP4 of every failure; without DIR: videos beside the report",
            "DIR",
            bare="",
            unset="none",
        ),
    ] = None
    video_quality: Annotated[
        Literal["pretty", "fast"],
        Option("pretty has shadows and costs 0.1 s a frame, fast a twentieth"),
    ] = "pretty"
    charge_inference: Annotated[
        bool, Option("simulated time goes on while the policy computes, as on a robot")
    ] = False
    add_latency: Annotated[
        float,
        Option(
            "every chunk of the policy comes so many simulated seconds later",
            "S",
            least=0,
            most=10,
            unit="seconds",
        ),
    ] = 0.0
    ros: Annotated[
        bool, Option("through the real nodes in real time; baselines stay in this process")
    ] = False
    ros_speed: Annotated[
        float,
        Option(
            "with --ros: simulated seconds per second; below 1 for a busy machine",
            "X",
            least=0.05,
            most=10,
        ),
    ] = 1.0
    max_seconds: Annotated[float, Option("per episode", "T", above=0)] = 20.0
    image_size: Annotated[int, Option("of the cameras", "PX", least=1)] = 128
    device: Annotated[str, Option("of the network: cpu, cuda, ...")] = "cpu"
    runtime: Annotated[
        Literal["auto", "torch", "openvino", "onnx"] | None,
        Option("computes the network", unset="as exported, else torch; with --ros auto"),
    ] = None
    threads: Annotated[
        int,
        Option(
            "of the network on the CPU, per worker",
            "N",
            least=0,
            unset="all, shared; with --ros all but one",
        ),
    ] = 0
    plain: Annotated[bool, Option("no random colours, light and camera")] = False
    out: Annotated[
        Path | None,
        Option("a new folder for report.json and success.png", "DIR", unset="one in outputs/eval"),
    ] = None
    server: Annotated[
        str, Option("with --policy remote: ws://HOST:PORT or wss://HOST:PORT", "URL", unset="none")
    ] = ""
    token_file: Annotated[str, Option("the server's token", "FILE", unset="none")] = ""
    ca_file: Annotated[
        str, Option("certificate of the server's authority", "FILE", unset="the system's")
    ] = ""
