# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder keeps what the file's `record` lists, whatever its type and quality of service."""

from __future__ import annotations

import time

import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")

from live_recorder import BODY, Robot  # noqa: E402

from evla_ros.data.bags.reader import open_bag  # noqa: E402


def test_a_best_effort_wrench_is_needed_and_recorded_and_what_is_absent_is_said(
    context, recording, tmp_path
):
    from geometry_msgs.msg import WrenchStamped
    from rclpy.qos import QoSProfile, ReliabilityPolicy

    file = tmp_path / "robot.yaml"
    file.write_text(f"{BODY.text}\nrecord: [/ft/wrench, {{topic: /points, column: none}}]\n")
    robot = Robot(context)
    recorder = recording(embodiment=str(file))
    try:
        time.sleep(1.0)
        answer = recorder.call("start")
        assert not answer.success
        assert "/ft/wrench has no publisher" in answer.message
        assert "/points" not in answer.message
        quality = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
        sensor = robot.node.create_publisher(WrenchStamped, "/ft/wrench", quality)
        message = WrenchStamped()
        end, answer = time.monotonic() + 30.0, None
        while time.monotonic() < end and (answer is None or not answer.success):
            for _ in range(20):
                message.header.stamp = robot.node.get_clock().now().to_msg()
                sensor.publish(message)
                time.sleep(0.02)
            answer = recorder.call("start")
        assert answer.success, answer.message
        assert "; /points has no publisher" in answer.message
        for _ in range(20):
            sensor.publish(message)
            time.sleep(0.02)
        assert recorder.call("keep").message
    finally:
        robot.close()
    name = answer.message.split(";")[0].split()[-1]
    with open_bag(tmp_path / "bags" / name) as bag:
        assert bag.info.topics["/ft/wrench"].type == "geometry_msgs/msg/WrenchStamped"
        assert bag.info.topics["/ft/wrench"].count >= 20
