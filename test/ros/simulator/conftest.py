# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A simulated robot in a process of its own, and a node of the test that talks to it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build` does it")
from rclpy.executors import SingleThreadedExecutor  # noqa: E402

LIMIT_S = 40.0
SMALL = {"image_size": 64}


class SimProcess:
    """`evla_ros.ros.simulator.main` with parameters; ended by SIGINT."""

    def __init__(self, folder: Path, **parameters: Any) -> None:
        words = [sys.executable, "-m", "evla_ros.ros.simulator.main", "--ros-args"]
        for name, value in {**SMALL, **parameters}.items():
            text = str(value).lower() if isinstance(value, bool) else value
            words += ["-p", f"{name}:={text}"]
        self.log = folder / "sim.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                words, stdout=log, stderr=subprocess.STDOUT, env={**os.environ}
            )

    def interrupt(self) -> int:
        """Press Ctrl-C and return the exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=20)

    def close(self) -> None:
        """End it whatever happens."""
        try:
            self.interrupt()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Client:
    """A node that collects what it hears."""

    def __init__(self, domain: int) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node = rclpy.create_node("client", context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self.heard: dict[str, list[Any]] = {}

    def listen(self, kind: type, topic: str, qos: Any = 10) -> list[Any]:
        """Return the list that messages of a topic will be added to."""
        messages = self.heard.setdefault(topic, [])
        self.node.create_subscription(kind, topic, messages.append, qos)
        return messages

    def until(self, condition: Callable[[], bool], limit_s: float = LIMIT_S) -> None:
        """Spin until the condition holds; fails after the limit."""
        end = time.monotonic() + limit_s
        while not condition():
            assert time.monotonic() < end, f"nothing within {limit_s} s"
            self._executor.spin_once(timeout_sec=0.05)

    def spin(self, seconds: float) -> None:
        """Spin for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._executor.spin_once(timeout_sec=0.02)

    def call(self, kind: type, service: str, request: Any) -> Any:
        """Call a service and return its answer."""
        caller = self.node.create_client(kind, service)
        self.until(caller.service_is_ready)
        future = caller.call_async(request)
        self.until(future.done)
        self.node.destroy_client(caller)
        return future.result()

    def close(self) -> None:
        """Leave the graph."""
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)


@pytest.fixture
def client(ros_domain: int) -> Iterator[Client]:
    """Give the test a node in its own domain."""
    made = Client(ros_domain)
    yield made
    made.close()


@pytest.fixture
def start_sim(ros_domain: int, tmp_path: Path) -> Iterator[Callable[..., SimProcess]]:
    """Return what starts a simulated robot with parameters."""
    started: list[SimProcess] = []

    def start(**parameters: Any) -> SimProcess:
        started.append(SimProcess(tmp_path, **parameters))
        return started[-1]

    yield start
    for process in started:
        process.close()
