# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The policy in a process of its own, whose crash, leak or endless loop does not harm the node."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from evla_ros.policy.errors import PolicyError, PolicyTimeoutError, WorkerDiedError
from evla_ros.policy.shared_frames import SharedFrames, new_shared_file
from evla_ros.policy.spec import PolicySpec
from evla_ros.policy.types import Chunk, Observation


class ProcessRunner:
    """Starts the policy's process, asks it and ends it.

    Only one thread at a time may ask; `close` may be called from any.
    """

    def __init__(
        self,
        spec: PolicySpec,
        *,
        timeout_s: float = 5.0,
        load_timeout_s: float = 60.0,
        niceness: int = 5,
    ) -> None:
        """Remember which policy to run and how.

        Args:
            spec: the policy to build in the process.
            timeout_s: an inference that takes longer ends the process.
            load_timeout_s: the longest time to load the policy.
            niceness: niceness of the process, 0 to 19; higher yields to others.
        """
        self._spec, self._timeout_s = spec, timeout_s
        self._load_timeout_s, self._niceness = load_timeout_s, niceness
        self.about = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._frames: SharedFrames | None = None
        self._lock = threading.Lock()

    @property
    def pid(self) -> int | None:
        """The id of the policy's process; None when there is none."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        process = self._process  # `close` in another thread may take it away between two looks
        return process is not None and process.poll() is None

    def start(self) -> None:
        """Start the process and load the policy in it; one that ran before is ended.

        Raises:
            PolicyError: the policy cannot be loaded.
        """
        self.close()
        ours, theirs = socket.socketpair()
        memory = new_shared_file()
        try:
            command = [sys.executable, "-m", "evla_ros.policy.process_worker"]
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno()), str(memory), str(self._niceness)],
                pass_fds=(theirs.fileno(), memory),
                env={
                    **os.environ,
                    "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
                },
                stdin=subprocess.DEVNULL,
            )
            self._frames = SharedFrames(memory)
            self._connection = Connection(ours.detach())
        finally:
            theirs.close()
            os.close(memory)
        try:
            loaded = self._ask({"op": "load", "spec": self._spec.to_json()}, self._load_timeout_s)
            self.about = str(loaded.get("about", ""))
        except PolicyError:
            self.close()
            raise

    def infer(self, observation: Observation) -> Chunk:
        """Return the chunk of actions for an observation.

        Raises:
            PolicyError: the policy cannot answer.
            PolicyTimeoutError: it did not answer in time; its process is ended.
            WorkerDiedError: its process ended by itself.
        """
        with self._lock:
            if self._frames is None:
                raise WorkerDiedError("the policy's process is not running")
            request = {
                "op": "infer",
                "stamp_ns": observation.stamp_ns,
                "images": self._frames.write(observation.images),
                "proprio": observation.proprio.tolist(),
                "instruction": observation.instruction,
            }
            answer = self._ask(request, self._timeout_s)
            actions = np.frombuffer(self._receive(self._timeout_s), np.float64, _size(answer))
        return Chunk(
            observation.stamp_ns, actions.reshape(answer["shape"]), int(answer["inference_ns"])
        )

    def reset(self) -> None:
        """Tell the policy that an episode starts."""
        with self._lock:
            self._ask({"op": "reset"}, self._timeout_s)

    def close(self) -> None:
        """End the process: closing the socket asks it to, and one that is busy is killed."""
        process, self._process = self._process, None
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        if process is not None:
            try:
                process.wait(0.2)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        frames, self._frames = self._frames, None
        if frames is not None:
            frames.close()

    def _ask(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        if self._connection is None:
            raise WorkerDiedError("the policy's process is not running")
        try:
            self._connection.send_bytes(json.dumps(request).encode())
        except OSError as error:
            raise WorkerDiedError(self._how_it_ended()) from error
        answer: dict[str, Any] = json.loads(self._receive(timeout_s))
        if "error" in answer:
            raise PolicyError(str(answer["error"]))
        return answer

    def _receive(self, timeout_s: float) -> bytes:
        connection = self._connection
        try:
            if connection is None or not connection.poll(timeout_s):
                if self._process is not None:
                    self._process.kill()  # it cannot be asked to stop
                raise PolicyTimeoutError(f"the policy did not answer within {timeout_s:g} s")
            return connection.recv_bytes()
        except (EOFError, OSError) as error:
            raise WorkerDiedError(self._how_it_ended()) from error

    def _how_it_ended(self) -> str:
        code = None
        if self._process is not None:
            try:
                code = self._process.wait(0.5)
            except subprocess.TimeoutExpired:
                code = None
        return f"the policy's process ended (exit status {code})"


def _size(answer: dict[str, Any]) -> int:
    return int(np.prod(answer["shape"], dtype=np.int64))
