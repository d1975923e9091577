# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The process that a policy runs in: reads requests from a socket, images from shared memory.

ProcessRunner starts it as `python -m evla_ros.policy.process_worker SOCKET_FD MEMORY_FD NICENESS`.
It ends when the socket closes, even in the middle of an inference, and after an error of CUDA that
no later call in one process gets over. Answers are JSON; the answer to
`infer` is followed by the actions as raw float64.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import threading
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from evla_ros.errors import EvlaError
from evla_ros.policy.errors import is_sticky
from evla_ros.policy.protocol import Policy
from evla_ros.policy.scheduling import as_usual
from evla_ros.policy.shared_frames import SharedFrames
from evla_ros.policy.spec import PolicySpec, build_policy
from evla_ros.policy.types import Observation


def serve(connection: Connection, frames: SharedFrames) -> None:
    """Answer requests until the other side closes the connection."""
    policy: Policy | None = None
    while True:
        try:
            request = json.loads(connection.recv_bytes())
        except (EOFError, ConnectionResetError):
            return
        try:
            if request["op"] == "load":
                policy = build_policy(PolicySpec.from_json(request["spec"]))
                _reply(connection, {"ok": True, "about": getattr(policy, "about", "")})
            elif policy is None:
                _reply(connection, {"error": "no policy is loaded"})
            elif request["op"] == "reset":
                policy.reset()
                _reply(connection, {"ok": True})
            else:
                _infer(connection, frames, policy, request)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return
        except Exception as error:  # noqa: BLE001 - whatever a model raises is an answer
            ours = isinstance(error, EvlaError)
            text = str(error) if ours else f"{type(error).__name__}: {error}"
            _reply(connection, {"error": text})
            if is_sticky(error):
                os._exit(1)  # an orderly end would call the driver again


def _infer(
    connection: Connection, frames: SharedFrames, policy: Policy, request: dict[str, Any]
) -> None:
    observation = Observation(
        request["stamp_ns"],
        frames.read(request["images"]),
        np.array(request["proprio"], dtype=np.float32),
        request["instruction"],
    )
    start = time.perf_counter_ns()
    chunk = policy.infer(observation)
    took_ns = time.perf_counter_ns() - start
    actions = np.ascontiguousarray(chunk.actions, dtype=np.float64)
    _reply(connection, {"ok": True, "shape": actions.shape, "inference_ns": took_ns})
    connection.send_bytes(actions.tobytes() or b"\0")


def _reply(connection: Connection, answer: dict[str, Any]) -> None:
    connection.send_bytes(json.dumps(answer).encode())


def _end_with_the_node(socket_fd: int) -> None:
    """End this process when the other side of the socket is gone, whatever it is busy with."""
    poller = select.poll()
    poller.register(socket_fd, select.POLLHUP | select.POLLRDHUP)
    poller.poll()
    os._exit(0)


def main() -> int:
    """Serve on the file descriptors that the command line names."""
    # Ctrl-C reaches the whole foreground group; the node decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    socket_fd, memory_fd, niceness = (int(text) for text in sys.argv[1:4])
    as_usual()
    os.nice(niceness)
    threading.Thread(target=_end_with_the_node, args=(socket_fd,), daemon=True).start()
    serve(Connection(socket_fd), SharedFrames(memory_fd))
    return 0


if __name__ == "__main__":
    sys.exit(main())
