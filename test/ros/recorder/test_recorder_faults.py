# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the recorder node refuses and survives: bad robots, dying topics, SIGKILL."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")

from live_recorder import BODY, SECOND, Robot  # noqa: E402

from evla_ros.data.bags.reader import open_bag  # noqa: E402
from evla_ros.data.convert.bag_job import convert_bag  # noqa: E402
from evla_ros.data.convert.options import ConvertOptions  # noqa: E402


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


def test_an_instruction_that_is_not_utf8_is_recorded_and_said(context, recording, tmp_path):
    robot = Robot(context)
    recorder = recording()
    name = recorder.start()
    latin = bytes.fromhex("0001000005000000") + b"caf\xe9\0"
    robot._publishers["/instruction"].publish(latin)
    deadline = time.monotonic() + 10
    while "UTF-8" not in recorder.node._text and time.monotonic() < deadline:
        time.sleep(0.02)
    assert recorder.node._text.startswith("topic /instruction: ")
    time.sleep(0.3)
    assert recorder.call("keep").success
    robot.close()
    with open_bag(tmp_path / "bags" / name) as bag:
        said_ns = [m.receive_ns for m in bag.messages({"/instruction"}) if m.data == latin]
        last_ns = max(m.receive_ns for m in bag.messages({"/arm/current_pose"}))
    assert len(said_ns) == 1
    assert last_ns > said_ns[0]


def publisher_in_a_context_of_its_own(domain, kind):
    """Return a publisher, and what ends it: no participant takes a second type for one topic."""
    context = rclpy.Context()
    rclpy.init(context=context, domain_id=domain)
    node = rclpy.create_node("fickle", context=context)

    def end():
        node.destroy_node()
        rclpy.shutdown(context=context)

    return node.create_publisher(kind, "fickle", 10), end


def test_a_topic_that_changes_its_type_is_said(ros_domain, recording):
    from std_msgs.msg import Bool, Float64

    publisher, end = publisher_in_a_context_of_its_own(ros_domain, Float64)
    recorder = recording(extra_topics="fickle", preflight=False)
    deadline = time.monotonic() + 30
    while not publisher.get_subscription_count() and time.monotonic() < deadline:
        time.sleep(0.02)
    end()
    _, end = publisher_in_a_context_of_its_own(ros_domain, Bool)
    said = "is published as std_msgs/msg/Bool and recorded as std_msgs/msg/Float64 only"
    while said not in recorder.node._text and time.monotonic() < deadline:
        time.sleep(0.02)
    end()
    assert recorder.node._text.startswith(f"/fickle {said}")
    problems = recorder.node._recorder.problems(time.time_ns())
    assert any(said in problem for problem in problems)


def test_unknown_parameters_fail_the_configuration(context, tmp_path):
    from rclpy.lifecycle import TransitionCallbackReturn
    from rclpy.parameter import Parameter

    from evla_ros.ros.recorder.node import RecorderNode

    overrides = [Parameter("embodiment", value="tabletop_arn")]
    node = RecorderNode(context=context, parameter_overrides=overrides)
    assert node.trigger_configure() == TransitionCallbackReturn.FAILURE
    node.destroy_node()


def test_sigkill_of_the_node_leaves_a_readable_bag(context, ros_domain, tmp_path, root):
    from std_srvs.srv import Trigger

    robot = Robot(context)
    command = [sys.executable, "-m", "evla_ros.ros.recorder.main", "--ros-args"]
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
