# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The process that holds a policy: reads requests from a socket and images from shared memory.

Started by ProcessRunner as `python -m evla_ros.policy.process_worker SOCKET_FD MEMORY_FD NICENESS`;
ends when the socket closes. Answers are JSON; after a chunk's come its numbers as raw float64.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from evla_ros.errors import EvlaError
from evla_ros.policy.protocol import Policy
from evla_ros.policy.scheduling import as_usual
from evla_ros.policy.shared_frames import SharedFrames
from evla_ros.policy.spec import PolicySpec, build_policy
from evla_ros.policy.types import Observation


def serve(connection: Connection, frames: SharedFrames) -> None:
    """Answer requests until the other side closes."""
    policy: Policy | None = None
    while True:
        try:
            request = json.loads(connection.recv_bytes())
        except (EOFError, ConnectionResetError):
            return
        try:
            if request["op"] == "load":
                policy = build_policy(PolicySpec.from_json(request["spec"]))
                _reply(connection, {"ok": True})
            elif policy is None:
                _reply(connection, {"error": "no policy is loaded"})
            elif request["op"] == "reset":
                policy.reset()
                _reply(connection, {"ok": True})
            else:
                _infer(connection, frames, policy, request)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            return
        except EvlaError as error:
            _reply(connection, {"error": str(error)})
        except Exception as error:  # noqa: BLE001 - whatever a model raises is an answer, not an end
            _reply(connection, {"error": f"{type(error).__name__}: {error}"})


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


def main() -> int:
    """Serve the descriptors named on the command line."""
    # Ctrl-C reaches the whole foreground group; the node decides when this process ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    socket_fd, memory_fd, niceness = (int(text) for text in sys.argv[1:4])
    as_usual()
    os.nice(niceness)
    serve(Connection(socket_fd), SharedFrames(memory_fd))
    return 0


if __name__ == "__main__":
    sys.exit(main())
