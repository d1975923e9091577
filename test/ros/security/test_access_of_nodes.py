# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The generated SROS2 policy allows what the real nodes have on a real graph, and nothing else."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from sros2_policy import granted

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")
pytest.importorskip("mujoco", reason="the simulator is not installed")

from evla_ros.embodiment import load_embodiment  # noqa: E402
from evla_ros.embodiment.streams import Kind, streams_of  # noqa: E402
from evla_ros.ros.executables import MODULES  # noqa: E402
from evla_ros.ros.security.policy_file import policy_xml, robot_access  # noqa: E402

pytestmark = pytest.mark.timeout(240)
NODES = ("policy", "recorder", "teleop", "sim", "console")
LIMIT_S = 90.0
# Everything that a node has only when it is told to: simulated time, every device, more topics.
SETTINGS = {
    "policy": {"policy": "circle", "worker": "thread", "autostart": True, "use_sim_time": True},
    "recorder": {"extra_topics": "wrench, imu", "use_sim_time": True},
    "teleop": {
        "use_sim_time": True,
        "twist_topic": "twist",
        "pose_topic": "hand/pose",
        "clutch_topic": "hand/clutch",
        "gripper_topic": "hand/gripper",
        "base_twist_topic": "hand/drive",
    },
    "sim": {"image_size": 32, "own_clock": True},
    "console": {"use_sim_time": True},
}


@pytest.fixture(params=[("mobile_manipulator", "/left_robot"), ("humanoid_upper_body", "/")])
def robot(request, tmp_path):
    """Return an embodiment, a namespace and the parameter file of the nodes."""
    name, namespace = request.param
    named = {node: {"embodiment": name, **values} for node, values in SETTINGS.items()}
    named["sim"]["world"] = name
    named["console"]["port"] = free_port()
    named["recorder"]["output"] = str(tmp_path / "bags")
    tree = {"/**": {node: {"ros__parameters": values} for node, values in named.items()}}
    file = tmp_path / "robot.yaml"
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    return load_embodiment(name), namespace, file


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Running:
    """Processes of nodes, ended like with Ctrl-C."""

    def __init__(self, folder: Path, namespace: str, file: Path) -> None:
        self._folder, self._processes = folder, []
        self._common = ["-r", f"__ns:={namespace}", "--params-file", str(file)]

    def start(self, node: str, *parameters: str) -> None:
        words = [sys.executable, "-m", MODULES[node], "--ros-args", *self._common, *parameters]
        with (self._folder / f"{node}.log").open("a") as log:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ}
            )
        self._processes.append(process)

    def end(self) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGINT)
        for process in self._processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._processes.clear()

    def logs(self) -> str:
        return "\n".join(path.read_text()[-600:] for path in self._folder.glob("*.log"))


@pytest.fixture
def running(robot, tmp_path, ros_domain):
    nodes = Running(tmp_path, *robot[1:])
    yield nodes
    nodes.end()


@pytest.fixture
def observer(robot, context):
    """Return a node that publishes every topic of the robot, so that the recorder subscribes."""
    from std_msgs.msg import Bool

    from evla_ros.ros.message_types import message_class

    embodiment, namespace, _ = robot
    node = rclpy.create_node("observer", context=context, namespace=namespace)
    for stream in streams_of(embodiment):
        node.create_publisher(message_class(stream.type), stream.topic, 1)
    for topic in ("wrench", "imu"):
        node.create_publisher(Bool, topic, 1)
    yield node
    node.destroy_node()


def seen(observer, node):
    """Return what the graph shows of a node, in the words of a policy file."""
    space = observer.get_namespace()
    by_attribute = {
        "publish": observer.get_publisher_names_and_types_by_node,
        "subscribe": observer.get_subscriber_names_and_types_by_node,
        "reply": observer.get_service_names_and_types_by_node,
    }
    names = {key: {name for name, _ in ask(node, space)} for key, ask in by_attribute.items()}
    return {**names, "request": set()}


def until(condition, running):
    """Return once an empty difference is left; fail with what is left after the limit."""
    deadline = time.monotonic() + LIMIT_S
    while left := condition():
        assert time.monotonic() < deadline, f"{left}\n{running.logs()}"
        time.sleep(0.3)


def differences(allowed, has):
    return {
        key: {"refused": has[key] - allowed[key], "never used": allowed[key] - has[key]}
        for key in has
        if has[key] != allowed[key]
    }


def test_every_node_may_do_exactly_what_it_does(robot, running, observer):
    embodiment, namespace, file = robot
    allowed = granted(policy_xml(robot_access(embodiment, [file]), namespace))
    prefix = namespace.rstrip("/")
    own = {node: allowed[f"{prefix}/{node}"][f"{prefix}/{node}"] for node in NODES}
    shadow = {name for name in own["policy"]["publish"] if "/policy/shadow/" in name}
    assert shadow
    own["policy"]["publish"] -= shadow
    requests = {node: own[node].pop("request") for node in NODES}
    # It hears a camera while a page shows it, raw or compressed, whichever is there.
    cameras = {f"{prefix}/{s.topic}" for s in streams_of(embodiment).of_kind(Kind.CAMERA)}
    assert cameras < own["console"]["subscribe"]
    own["console"]["subscribe"] -= cameras | {f"{topic}/compressed" for topic in cameras}
    for node in NODES:
        running.start(node)

    def difference():
        found = {}
        for node in NODES:
            if node not in observer.get_node_names():
                found[node] = "has not started"
                continue
            has = seen(observer, node)
            has.pop("request")
            found[node] = differences(own[node], has)
        return {node: rest for node, rest in found.items() if rest}

    until(difference, running)
    served = set().union(*(own[node]["reply"] for node in NODES))
    reported = set().union(*(own[node]["publish"] for node in NODES))
    operator = allowed[f"{prefix}/operator"][f"{prefix}/operator"]
    assert operator["request"] == served
    assert operator["subscribe"] - {"/clock"} <= reported
    assert set().union(*requests.values()) <= served
    running.end()

    own["policy"]["publish"] -= {f"{prefix}/{s.topic}" for s in _outputs(embodiment)}
    own["policy"]["publish"] |= shadow
    running.start("policy", "-p", "shadow:=true")

    def shadow_difference():
        if "policy" not in observer.get_node_names():
            return "has not started"
        has = seen(observer, "policy")
        has.pop("request")
        return differences(own["policy"], has)

    until(shadow_difference, running)


def _outputs(embodiment):
    from evla_ros.embodiment.streams import Direction

    return [s for s in streams_of(embodiment) if s.role.direction is Direction.OUTPUT]


def test_a_robot_that_only_rehearses_gets_no_goal_from_the_policy(robot, tmp_path):
    embodiment, namespace, file = robot
    rehearsal = tmp_path / "rehearsal.yaml"
    rehearsal.write_text("policy: {ros__parameters: {shadow: true}}\n", encoding="utf-8")
    allowed = granted(policy_xml(robot_access(embodiment, [file, rehearsal]), namespace))
    prefix = namespace.rstrip("/")
    published = allowed[f"{prefix}/policy"][f"{prefix}/policy"]["publish"]
    goals = {f"{prefix}/{stream.topic}" for stream in _outputs(embodiment)}
    assert goals
    assert not goals & published
