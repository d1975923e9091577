# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the command line to a server that runs until it is asked to end."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import signal
import sys
from typing import Any

from evla_ros.serving.access import Gate, tls_context
from evla_ros.serving.errors import ServingError
from evla_ros.serving.keys import notes, own_keys, read_keys
from evla_ros.serving.log import JsonLog
from evla_ros.serving.metrics import Metrics
from evla_ros.serving.openvla import OpenVlaServer
from evla_ros.serving.options import Serving
from evla_ros.serving.served_policy import ServedPolicy, load_policy
from evla_ros.serving.service import Elsewhere, PolicyService
from evla_ros.serving.websocket_server import WebSocketServer

OPEN_FILES = 8192
_SENDING_S = 1.0  # for the last answers to go out


def run(options: Serving) -> int:
    """Serve until SIGTERM or Ctrl-C; 0 then, 1 when the policy broke and has to be loaded anew.

    Raises:
        EvlaError: it cannot start; nothing was served.
    """
    gate, context = Gate(options), tls_context(options)  # before minutes of loading
    policy, on_ray = _loaded(options)
    try:
        took_ms = [policy.warm_up(size) for size in _sizes(options.max_batch)]
        _raise_open_files()
        return asyncio.run(_serve(options, gate, context, policy, took_ms))
    finally:
        if on_ray:
            on_ray.end(options)


def _loaded(options: Serving) -> tuple[ServedPolicy, Any]:
    """Return the policy, and the module that computes it where that is not this process."""
    if options.engine == "ray":
        from evla_ros.serving import ray_policy

        return ray_policy.deploy(options), ray_policy
    for name, unset in (("ray_address", ""), ("ray_gpus", 0.0), ("ray_replicas", (1,))):
        if getattr(options, name) != unset:
            raise ServingError(f"--{name.replace('_', '-')} has no effect without --engine ray")
    return load_policy(options), None


async def _serve(
    options: Serving,
    gate: Gate,
    context: Any,
    policy: ServedPolicy,
    took_ms: list[float],
) -> int:
    log, metrics = JsonLog(), Metrics()
    cameras = policy.contract.cameras
    keys = read_keys(options.keys, cameras) if options.keys else own_keys(cameras)
    asker = policy.asker() if isinstance(policy, Elsewhere) else None
    service = PolicyService(policy, keys, metrics, log, options.max_batch, options.prompt, asker)
    server = WebSocketServer(options, gate, service, log)
    ended = _on_signals()
    async with contextlib.AsyncExitStack() as stack:
        listening = await stack.enter_async_context(server.running(context))
        port = next(iter(listening.sockets)).getsockname()[1]
        url = f"{'wss' if context else 'ws'}://{_shown(options.host)}:{port}"
        ready = {"url": url, "model": policy.model, "runtime": policy.runtime}
        if options.openvla_port is not None:
            act = OpenVlaServer(options, gate, service)
            ready["openvla"] = await stack.enter_async_context(act.running(context))
        log.write("ready", **ready, contract=service.contract.hash, warm_ms=took_ms)
        print(f"serving {policy.model} on {url}; Ctrl-C ends it", file=sys.stderr)
        for sentence in notes(keys, policy.contract):
            print(sentence, file=sys.stderr)
        print(
            f"next, on the robot: evla run policy --set policy=remote server={url}", file=sys.stderr
        )
        waiting = [asyncio.create_task(event.wait()) for event in (ended, service.broken)]
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in waiting:
            task.cancel()
        server.closing = True
        await service.close(options.grace)
        await server.finish(_SENDING_S)
    log.write("ended", broken=service.broken.is_set())
    return 1 if service.broken.is_set() else 0


def _on_signals() -> asyncio.Event:
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    return ended


def _sizes(most: int) -> list[int]:
    """Return the batch sizes to compute before the first client: one, two, and the largest."""
    return sorted({1, min(2, most), most})


def _raise_open_files() -> None:
    """Allow more sockets than the usual thousand, so that idle ones keep nobody out."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = min(OPEN_FILES, hard) if hard != resource.RLIM_INFINITY else OPEN_FILES
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
