# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What does not go on by itself: after a gap, after bad images, after teleoperation, in silence."""

from __future__ import annotations

import signal
import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from policy_rig import Rig
from std_msgs.msg import Bool

from evla_ros.control.reasons import Reason
from evla_ros.embodiment import load_embodiment
from evla_ros.geometry import Pose
from evla_ros.ros.qos import reliable

pytestmark = [pytest.mark.timeout(90), pytest.mark.usefixtures("ros_domain")]


def until(condition, what: str = "") -> None:
    end_s = time.monotonic() + 25.0
    while not condition():
        assert time.monotonic() < end_s, what
        time.sleep(0.01)


def test_a_suspended_node_does_not_go_on_by_itself() -> None:
    with Rig() as rig:
        rig.bring_up()
        rig.process.send_signal(signal.SIGSTOP)
        time.sleep(3.0)
        rig.process.send_signal(signal.SIGCONT)
        rig.wait_for_reason(Reason.GOAL_GAP)
        assert rig.goals_after(1.0) == []
        assert not rig.statuses[-1].started
        rig.start_moving()


def test_images_that_cannot_be_decoded_end_motion_in_a_few_lines() -> None:
    with Rig() as rig:
        rig.bring_up()
        lines = len(rig.log)
        end_s = time.monotonic() + 8.0
        while time.monotonic() < end_s:  # a good one now and then
            good = int(time.monotonic() * 10) % 7 == 0
            rig.robot.image_message.encoding = "rgb8" if good else "rainbow8"
            time.sleep(0.01)
        rig.robot.image_message.encoding = "rgb8"
        time.sleep(1.0)
        assert not rig.statuses[-1].started
        assert rig.goals_after(0.5) == []
        assert len(rig.log) - lines <= 30, "\n".join(rig.log[lines:])
        rig.start_moving()


def test_after_teleoperation_a_dead_source_of_poses_means_silence(
    live_policy, robot, stranger
) -> None:
    core = live_policy(resume_after_teleop=True, resume_within_s=30.0)._session.core
    until(lambda: core.status().moving)
    active = stranger("hand").create_publisher(Bool, "teleop/active", reliable())
    until(lambda: active.get_subscription_count() == 2)
    active.publish(Bool(data=True))
    until(lambda: core.status().finding.reason is Reason.TELEOP)
    time.sleep(0.3)
    robot.targets[0], robot.switches.poses = None, False
    time.sleep(0.5)
    count = len(robot.goals[0])
    active.publish(Bool(data=False))
    until(lambda: core.status().finding.reason is Reason.POSE_STALE)
    time.sleep(0.5)
    assert len(robot.goals[0]) == count
    here = robot.measured[0]
    robot.measured[0] = Pose(here.position_m + np.array([0.0, 0.05, 0.0]), here.quaternion_xyzw)
    robot.switches.poses = True
    until(lambda: len(robot.goals[0]) > count)
    first = robot.goals[0][count]
    np.testing.assert_allclose(first.position, first.measured, atol=0.01)


def test_a_silent_stop_button_stops_where_a_heartbeat_is_agreed(
    live_policy, stranger, tmp_path
) -> None:
    file = tmp_path / "robot.yaml"
    text = load_embodiment("tabletop_arm").text
    file.write_text(text + "\nestop: {topic: estop, heartbeat_s: 0.5}\n")
    node = live_policy(moving=False, embodiment=str(file))
    core = node._session.core
    until(lambda: core.status().finding.reason is Reason.ESTOP_SILENT)
    assert "not heard yet" in node._session.start_motion().text
    panel = stranger("panel")
    button = panel.create_publisher(Bool, "estop", 1)

    def beats() -> bool:
        button.publish(Bool(data=False))
        return node._session.start_motion() is None

    until(beats)
    until(lambda: button.publish(Bool(data=False)) or core.status().moving)
    until(lambda: not core.status().started)
    assert core.status().last_stop.finding.reason is Reason.ESTOP_SILENT
