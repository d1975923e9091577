# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder node on a real graph: what it hears, refuses, keeps, trashes and survives."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")

from evla_ros.bench.synthetic_bag import SyntheticRobot, robot_events  # noqa: E402
from evla_ros.data.bags.reader import open_bag  # noqa: E402
from evla_ros.data.convert.bag_job import convert_bag  # noqa: E402
from evla_ros.data.convert.options import ConvertOptions  # noqa: E402
from evla_ros.data.messages import decode_episode_event  # noqa: E402
from evla_ros.embodiment import load_embodiment  # noqa: E402

BODY = load_embodiment("tabletop_arm")
SECOND = 1_000_000_000


class Robot:
    """Publishes an invented robot's messages in real time from a thread of its own."""

    def __init__(self, context, *, reliable=True, skip=(), skew_ns=0):
        from rclpy.qos import QoSProfile, ReliabilityPolicy

        from evla_ros.ros.qos import latched
        from evla_ros.ros.recorder_topics import message_class

        self.node = rclpy.create_node("robot", context=context)
        policy = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
        self._robot = SyntheticRobot(BODY, seconds=60.0, camera_hz=15.0, start_ns=0)
        self._skip, self._skew_ns = set(skip), skew_ns
        self._publishers = {}
        for event in self._first(3 * SECOND // 10):
            if event.topic in self._publishers or event.topic[1:] in self._skip:
                continue
            qos = QoSProfile(depth=10, reliability=policy)
            if event.topic == "/instruction":
                qos = latched()
            kind = message_class(event.type)
            self._publishers[event.topic] = self.node.create_publisher(kind, event.topic[1:], qos)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _first(self, until_ns):
        for event in robot_events(self._robot):
            if event.stamp_ns > until_ns:
                return
            yield event

    def silence(self, topic):
        self._skip.add(topic)

    def _run(self):
        from evla_ros.data.cdr import CdrReader

        start = time.time_ns()
        for event in robot_events(self._robot):
            wait = (start + event.stamp_ns - time.time_ns()) / SECOND
            if self._stop.wait(max(wait, 0.0)):
                return
            if event.topic[1:] in self._skip:
                continue
            data = event.data
            if "PoseStamped" in event.type or "Image" in event.type:
                CdrReader(data)
                seconds, nanoseconds = divmod(start + event.stamp_ns - self._skew_ns, SECOND)
                stamp = seconds.to_bytes(4, "little") + nanoseconds.to_bytes(4, "little")
                data = data[:4] + stamp + data[12:]
            self._publishers[event.topic].publish(data)

    def close(self):
        self._stop.set()
        self._thread.join()
        self.node.destroy_node()


@pytest.fixture
def context(ros_domain):
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    yield context
    rclpy.try_shutdown(context=context)


class Recording:
    """A recorder node that spins in a thread, and a client for its services."""

    def __init__(self, context, output, **parameters):
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.parameter import Parameter

        from evla_ros.ros.recorder_node import RecorderNode

        values = {"output": str(output), "min_free_gib": 0.05, "min_minutes": 0.0, **parameters}
        overrides = [Parameter(name, value=value) for name, value in values.items()]
        self.node = RecorderNode(context=context, parameter_overrides=overrides)
        self.client = rclpy.create_node("operator", context=context)
        self.executor = SingleThreadedExecutor(context=context)
        for node in (self.node, self.client):
            self.executor.add_node(node)
        self.thread = threading.Thread(target=self.executor.spin, daemon=True)
        self.thread.start()
        self.node.trigger_configure()
        self.node.trigger_activate()

    def call(self, name, **fields):
        from std_srvs.srv import SetBool, Trigger

        kind = SetBool if fields else Trigger
        client = self.client.create_client(kind, f"recorder/{name}")
        assert client.wait_for_service(10.0)
        done = threading.Event()
        future = client.call_async(kind.Request(**fields))
        future.add_done_callback(lambda _: done.set())
        assert done.wait(20.0), name
        return future.result()

    def start(self):
        """Start as soon as the pre-flight has nothing against it."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            answer = self.call("start")
            if answer.success:
                return answer.message.split()[-1]
            time.sleep(0.2)
        raise AssertionError(answer.message)

    def close(self):
        self.executor.shutdown()
        self.thread.join()
        self.node.finish()
        self.node.destroy_node()
        self.client.destroy_node()


@pytest.fixture
def recording(context, tmp_path):
    made = []

    def make(**parameters):
        made.append(Recording(context, tmp_path / "bags", **parameters))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_kept_episode_converts_and_says_what_it_is(context, recording, tmp_path):
    robot = Robot(context)
    recorder = recording(preroll_s=0.5, operator="ada")
    name = recorder.start()
    time.sleep(1.0)
    assert recorder.call("intervention", data=True).success
    time.sleep(0.5)
    assert recorder.call("intervention", data=False).success
    assert recorder.call("mark_success").success
    answer = recorder.call("keep")
    robot.close()
    assert answer.success, answer.message
    folder = tmp_path / "bags" / name
    report = json.loads((folder / "report.json").read_text())
    assert report["lost"] == 0
    assert report["duration_s"] > 1.5, "the two waits, and what the pre-roll had by then"
    with open_bag(folder) as bag:
        counts = {n: t.count for n, t in bag.info.topics.items()}
        events = [decode_episode_event(m.data) for m in bag.messages({"/recorder/episode_event"})]
        assert bag.info.damage is None
        assert bag.info.custom_data["operator"] == "ada"
    assert "durability: 1" in (folder / "metadata.yaml").read_text()  # the latched instruction
    assert [e.kind for e in events] == [1, 6, 7, 4, 2]
    assert counts["/camera/primary/image_raw"] >= 20
    assert counts["/arm/current_pose"] >= 80
    assert counts["/instruction"] == 1
    options = ConvertOptions(BODY.text, image_size=(32, 32))
    result = convert_bag(folder, options, tmp_path / "staging")
    assert result.status == "kept", result.reason
    assert result.outcome == "success"
    assert result.steps >= 15


def test_best_effort_publishers_are_heard_too(context, recording, tmp_path):
    robot = Robot(context, reliable=False)
    recorder = recording()
    name = recorder.start()
    time.sleep(0.7)
    recorder.call("discard")
    robot.close()
    with open_bag(tmp_path / "bags" / "trash" / name) as bag:
        counts = {n: t.count for n, t in bag.info.topics.items()}
    assert counts["/camera/wrist/image_raw"] > 5
    assert not (tmp_path / "bags" / name).exists()


def test_preflight_names_what_is_missing_and_skewed(context, recording):
    robot = Robot(context, skip={"camera/wrist/image_raw"}, skew_ns=3 * SECOND)
    recorder = recording()
    time.sleep(2.0)
    answer = recorder.call("start")
    robot.close()
    assert not answer.success
    assert "/camera/wrist/image_raw" in answer.message
    assert "/arm/current_pose is stamped 3.0" in answer.message
    assert "behind this machine" in answer.message


def test_topic_that_dies_is_stalled_in_status_and_in_the_report(context, recording, tmp_path):
    from evla_ros.msg import RecorderStatus
    from evla_ros.ros.qos import latched

    robot = Robot(context)
    recorder = recording(status_rate_hz=10.0)
    seen = []
    recorder.client.create_subscription(RecorderStatus, "recorder/status", seen.append, latched())
    name = recorder.start()
    time.sleep(0.5)
    robot.silence("camera/primary/image_raw")
    deadline = time.monotonic() + 10
    state = None
    while time.monotonic() < deadline and state != RecorderStatus.TOPIC_STALLED:
        time.sleep(0.1)
        if seen:
            last = seen[-1]
            index = last.topic_names.index("/camera/primary/image_raw")
            state = last.topic_states[index]
    assert state == RecorderStatus.TOPIC_STALLED
    assert seen[-1].state == RecorderStatus.STATE_RECORDING
    answer = recorder.call("keep")
    robot.close()
    assert "/camera/primary/image_raw" in answer.message
    options = ConvertOptions(BODY.text, image_size=(32, 32), min_steps=3)
    result = convert_bag(tmp_path / "bags" / name, options, tmp_path / "staging")
    assert result.lost_ticks > 0 or "camera:primary" in result.reason


def test_inactive_recorder_refuses_and_deactivation_keeps(context, recording, tmp_path):
    robot = Robot(context)
    recorder = recording()
    name = recorder.start()
    time.sleep(0.3)
    recorder.node.trigger_deactivate()
    answer = recorder.call("start")
    assert not answer.success
    assert "not active" in answer.message
    robot.close()
    with open_bag(tmp_path / "bags" / name) as bag:
        assert bag.info.damage is None
        assert "stopped" in bag.info.custom_data["note"]


def test_unknown_parameters_fail_the_configuration(context, tmp_path):
    from rclpy.lifecycle import TransitionCallbackReturn
    from rclpy.parameter import Parameter

    from evla_ros.ros.recorder_node import RecorderNode

    overrides = [Parameter("embodiment", value="tabletop_arn")]
    node = RecorderNode(context=context, parameter_overrides=overrides)
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    node.destroy_node()


def test_sigkill_of_the_node_leaves_a_readable_bag(context, ros_domain, tmp_path, root):
    from std_srvs.srv import Trigger

    robot = Robot(context)
    command = [sys.executable, "-m", "evla_ros.ros.recorder_main", "--ros-args"]
    for item in (f"output:={tmp_path / 'bags'}", "min_free_gib:=0.05", "min_minutes:=0.0"):
        command += ["-p", item]
    process = subprocess.Popen(command, env=dict(os.environ), cwd=root)
    try:
        client = robot.node.create_client(Trigger, "recorder/start")
        assert client.wait_for_service(30.0)
        answer = None
        deadline = time.monotonic() + 30
        executor = rclpy.executors.SingleThreadedExecutor(context=context)
        executor.add_node(robot.node)
        while time.monotonic() < deadline and not (answer and answer.success):
            future = client.call_async(Trigger.Request())
            executor.spin_until_future_complete(future, timeout_sec=5.0)
            answer = future.result()
            time.sleep(0.2)
        assert answer.success, answer.message
        time.sleep(3.0)
        killed_ns = time.time_ns()
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        robot.close()
    folder = next(p for p in Path(tmp_path / "bags").iterdir() if p.is_dir())
    with open_bag(folder) as bag:
        last = max(m.receive_ns for m in bag.messages())
        assert bag.info.damage
        assert bag.info.custom_data["embodiment_name"] == "tabletop_arm"
    assert (killed_ns - last) / SECOND <= 1.0


def test_countdown_can_be_called_off_and_a_pedal_toggles(context, recording, tmp_path):
    robot = Robot(context)
    recorder = recording(countdown_s=1.0, all_topics=True)
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not (answer := recorder.call("start")).success:
        time.sleep(0.2)
    assert "starts in 1 s" in answer.message
    assert recorder.call("discard").message == "the start was called off"
    time.sleep(1.5)
    assert not any(p.name != "trash" for p in (tmp_path / "bags").iterdir())
    assert recorder.call("toggle").success
    time.sleep(2.5)
    assert recorder.call("toggle_intervention").success
    assert recorder.call("toggle").success
    robot.close()
    folder = next(p for p in (tmp_path / "bags").iterdir())
    with open_bag(folder) as bag:
        assert "/arm/target_pose" in bag.info.topics
        assert not any(name.startswith("/recorder/status") for name in bag.info.topics)
        assert bag.info.custom_data["interventions"] == "1"
