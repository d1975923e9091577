# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What `evla serve` is asked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from evla_ros.options import Option


@dataclass(frozen=True)
class Serving:
    """A policy, the address it is served on, and who may ask."""

    policy: Annotated[
        str, Option("a checkpoint folder; or hold, circle, ... with --embodiment", positional=True)
    ]
    host: Annotated[str, Option("address to listen on; any but this machine's needs a token")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Option("port; 0 takes a free one", least=0, most=65535)] = 8000
    token_file: Annotated[
        str, Option("who may ask: lines TOKEN or NAME TOKEN", "FILE", unset="everybody here")
    ] = ""
    tls_cert: Annotated[str, Option("certificate chain (PEM)", "FILE", unset="no TLS")] = ""
    tls_key: Annotated[str, Option("its private key (PEM)", "FILE", unset="in the same file")] = ""
    plaintext: Annotated[
        bool, Option("no TLS on an address of others: inside a VPN, or on a cable of your own")
    ] = False
    origins: Annotated[
        tuple[str, ...], Option("web pages that may ask", "ORIGIN", unset="none")
    ] = ()
    keys: Annotated[
        str,
        Option("how clients name things: libero, droid, aloha, or a file", "MAP", unset="our own"),
    ] = ""
    dialect: Annotated[
        Literal["openpi", "roboarena", "vllm"], Option("whose clients beside openpi's and ours")
    ] = "openpi"
    openvla_port: Annotated[
        int | None,
        Option("port of OpenVLA's POST /act", "PORT", least=0, most=65535, unset="not served"),
    ] = None
    prompt: Annotated[str, Option("the instruction of questions without one", unset="refused")] = ""
    embodiment: Annotated[
        str, Option("name or file of the robot", unset="the checkpoint's own")
    ] = ""
    device: Annotated[str, Option("of the network: cpu, cuda, cuda:1")] = "cpu"
    dtype: Annotated[
        str, Option("fp32, bf16, fp16, int8 or auto", unset="as stored; on a GPU bf16")
    ] = ""
    runtime: Annotated[
        str, Option("torch, openvino, onnx or auto", unset="as exported, else torch")
    ] = ""
    decode: Annotated[str, Option("joint or autoregressive", unset="the checkpoint's")] = ""
    statistics: Annotated[
        str, Option("dataset whose statistics un-normalise", unset="the only one, or the robot's")
    ] = ""
    threads: Annotated[int, Option("on the CPU", "N", least=0, unset="torch's choice")] = 0
    static_shapes: Annotated[bool, Option("compile on a CPU, capture CUDA graphs on a GPU")] = False
    max_batch: Annotated[int, Option("questions computed together", "N", least=1, most=256)] = 8
    max_connections: Annotated[int, Option("open at a time", "N", least=1, most=10000)] = 64
    max_message_mb: Annotated[int, Option("longest question", "MB", least=1, most=256)] = 16
    grace: Annotated[
        float, Option("questions under way may take so long at the end", "S", least=0, most=600)
    ] = 5.0

    engine: Annotated[
        Literal["local", "ray"], Option("what computes: this process, or replicas on Ray Serve")
    ] = "local"
    ray_address: Annotated[str, Option("of the Ray cluster", unset="a new one, here")] = ""
    ray_gpus: Annotated[float, Option("part of a GPU per replica", "G", least=0, most=16)] = 0.0
    ray_replicas: Annotated[
        tuple[int, ...], Option("how many, or the fewest and the most", "N", least=1, most=1000)
    ] = (1,)

    @property
    def token_path(self) -> Path | None:
        """The token file; None without one."""
        return Path(self.token_file) if self.token_file else None
