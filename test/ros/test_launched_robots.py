# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Two robots by ROS 2's own launch: each in its namespace, neither minds the other's end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("launch_ros", reason="ROS 2's launch is not on PyPI; source a distro")

import rclpy
from lifecycle_msgs.srv import GetState
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

pytestmark = pytest.mark.timeout(180)


class Graph:
    """Two launched policy nodes, and a node that asks them for their state."""

    def __init__(self, root: Path, domain: int) -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, domain_id=domain)
        self.node: Node = rclpy.create_node("asking", context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        file = str(root / "launch" / "policy.launch.py")
        common = ["policy:=hold", "use_respawn:=true"]
        self.launches = {
            name: subprocess.Popen(["ros2", "launch", file, f"namespace:={name}", *common])
            for name in ("alpha", "beta")
        }
        self._clients = {
            name: self.node.create_client(GetState, f"/{name}/policy/get_state")
            for name in self.launches
        }

    def state(self, name: str) -> str:
        """Return the lifecycle state, '' when nobody answers."""
        if not self._clients[name].service_is_ready():
            return ""
        future = self._clients[name].call_async(GetState.Request())
        self.executor.spin_until_future_complete(future, 2.0)
        return str(future.result().current_state.label) if future.done() else ""

    def wait_for(self, condition: Callable[[], object]) -> None:
        end = time.monotonic() + 60.0
        while not condition():
            assert time.monotonic() < end
            self.executor.spin_once(0.1)

    def policy_pid(self, name: str) -> int:
        """Return the process of the node that a launch started."""
        pid = self.launches[name].pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return int(children[0])

    def close(self) -> None:
        for launch in self.launches.values():
            if launch.poll() is None:
                launch.send_signal(signal.SIGINT)
        for launch in self.launches.values():
            launch.wait(30)
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)


@pytest.fixture
def graph(root: Path, ros_domain: int) -> Iterator[Graph]:
    if shutil.which("ros2") is None:
        pytest.skip("the command ros2 is not installed; source a distro")
    made = Graph(root, ros_domain)
    yield made
    made.close()


def test_two_launched_robots_live_and_end_apart(graph: Graph) -> None:
    graph.wait_for(lambda: graph.state("alpha") == graph.state("beta") == "active")
    topics = {name for name, _ in graph.node.get_topic_names_and_types()}
    for robot in graph.launches:
        assert {f"/{robot}/policy/status", f"/{robot}/arm/target_pose"} <= topics
    assert not topics & {"/policy/status", "/arm/target_pose"}

    graph.launches["alpha"].send_signal(signal.SIGINT)
    assert graph.launches["alpha"].wait(30) == 0
    graph.wait_for(lambda: graph.state("alpha") == "")
    assert graph.state("beta") == "active"

    before = graph.policy_pid("beta")
    os.kill(before, signal.SIGKILL)
    graph.wait_for(lambda: graph.state("beta") == "active" and graph.policy_pid("beta") != before)
