# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A policy server in a process of its own, and an echoing socket as the floor beside it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evla_ros.errors import EvlaError
from evla_ros.policy.remote.messages import question
from evla_ros.policy.remote.wire import pack
from evla_ros.policy.types import Observation

if TYPE_CHECKING:
    from typing_extensions import Self

_START_S = 120.0


class ServerProcess:
    """Use as a context manager; the words are those of `evla serve`."""

    def __init__(self, words: Sequence[str], log: Path, port: int = 0) -> None:
        """Remember what to start; its events go to a file."""
        self._words, self._log, self.port, self.url = list(words), log, port, ""

    def __enter__(self) -> Self:
        """Start it and wait until it serves."""
        command = [sys.executable, "-m", "evla_ros", "serve", *self._words]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(self.port)], stdout=log, stderr=subprocess.STDOUT
            )
        end_s = time.monotonic() + _START_S
        while not self.url:
            lines = self._log.read_text().splitlines()
            ready = [line for line in lines if '"event": "ready"' in line]
            if ready:
                self.url = json.loads(ready[0])["url"]
            elif self._process.poll() is not None or time.monotonic() > end_s:
                raise EvlaError(f"the policy server did not start: {' '.join(lines[-3:])}")
            time.sleep(0.02)
        self.port = int(self.url.rpartition(":")[2])
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        self._process.kill()
        self._process.wait()

    def counters(self) -> dict[str, float]:
        """Return its counters without labels."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        pairs = [line.split() for line in lines if not line.startswith("#") and "{" not in line]
        return {name: float(value) for name, value in pairs}

    def resident_bytes(self) -> float:
        """Return how much memory it holds."""
        return self.counters()["process_resident_memory_bytes"]

    @staticmethod
    def echo_ms(asked: Observation, cameras: tuple[str, ...], encoding: str) -> dict[int, float]:
        """Return percentiles [ms] of the same message through a plain socket, and a short reply."""
        message = pack(question(asked, cameras, encoding, 1.0))
        with socket.create_server(("127.0.0.1", 0)) as server:
            thread = threading.Thread(target=_echo, args=(server, len(message)), daemon=True)
            thread.start()
            with socket.create_connection(server.getsockname()) as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                times = []
                for _ in range(200):
                    start = time.perf_counter()
                    client.sendall(pack(question(asked, cameras, encoding, 1.0)))
                    client.recv(1024, socket.MSG_WAITALL)
                    times.append(1e3 * (time.perf_counter() - start))
            thread.join(5.0)
        return {percent: float(np.percentile(times, percent)) for percent in (50, 99)}


def _echo(server: socket.socket, size: int) -> None:
    connection, _ = server.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    buffer = bytearray(size)
    with connection:
        while connection.recv_into(buffer, size, socket.MSG_WAITALL) == size:
            connection.sendall(bytes(1024))
