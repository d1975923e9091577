# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What stops the robot, how, and that the hold is the last word."""

from __future__ import annotations

import os
import signal
import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from std_msgs.msg import Bool, Float64

from evla_ros.bench.policy_rig import Rig
from evla_ros.control.reasons import Reason

pytestmark = [pytest.mark.timeout(90), pytest.mark.usefixtures("ros_domain")]


def assert_held(goals: list) -> None:
    """Check that goals came, all the same one, and that the arm was there."""
    assert goals
    positions = np.array([goal.position for goal in goals])
    np.testing.assert_array_equal(positions, np.broadcast_to(positions[-1], positions.shape))
    np.testing.assert_allclose(positions[-1], goals[-1].measured, atol=0.02)


def test_stop_and_start_again() -> None:
    with Rig() as rig:
        rig.bring_up()
        assert rig.trigger("stop").success
        assert_held(rig.goals_after(0.3))
        rig.wait_for_reason(Reason.OPERATOR_STOP)
        time.sleep(1.0)
        assert rig.goals_after(0.3) == []  # silence: another may command the arm now
        rig.start_moving()
        assert rig.goals_after(0.3)


def test_the_emergency_stop_latches_until_it_is_reset() -> None:
    with Rig() as rig:
        rig.bring_up()
        rig.robot.press_estop(True)
        rig.wait_for_reason(Reason.ESTOP)
        assert_held(rig.goals_after(0.2))
        assert "pressed" in rig.trigger("reset_estop").message
        rig.robot.press_estop(False)
        time.sleep(0.2)
        refusal = rig.trigger("start")
        assert not refusal.success
        assert "emergency stop" in refusal.message
        assert rig.trigger("reset_estop").success
        rig.start_moving()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_motion_ends_with_the_hold(number: signal.Signals) -> None:
    with Rig(worker="process") as rig:
        rig.bring_up()
        rig.robot.switches.follow = 0.02
        time.sleep(0.6)
        rig.process.send_signal(number)
        time.sleep(0.05)
        rig.process.send_signal(number)  # a launch passes on what the terminal sent already
        assert rig.process.wait(10) == 0
        time.sleep(0.3)
        goals = rig.robot.goals[0]
        off = np.linalg.norm(np.subtract(goals[-1].position, goals[-1].measured))
        jump = np.linalg.norm(np.subtract(goals[-1].position, goals[-2].position))
        assert off < 0.005  # the arm goes on while its pose is on its way to the node
        assert jump > 2 * off
        assert not any("Traceback" in line for line in rig.log), "\n".join(rig.log)


def test_a_frozen_executor_thread_stops_the_robot() -> None:
    with Rig(program=("-m", "evla_ros.bench.freezing_policy")) as rig:
        rig.bring_up()
        freeze = rig.node.create_publisher(Float64, "freeze", 1)
        rig.wait_for(lambda: freeze.get_subscription_count() > 0, "freezing node")
        freeze.publish(Float64(data=1.2))
        time.sleep(0.5)
        assert_held(rig.goals_after(0.4))
        rig.wait_for(lambda: any("POSE_STALE" in line for line in rig.log), "reason in the log")


def test_teleoperation_gets_silence_and_a_short_word() -> None:
    with Rig() as rig:
        rig.bring_up()
        hand = rig.node.create_publisher(Bool, "teleop/active", 1)
        rig.wait_for(lambda: hand.get_subscription_count() > 0, "teleop topic")
        hand.publish(Bool(data=True))
        rig.wait_for_reason(Reason.TELEOP)
        assert rig.goals_after(0.3) == []


def test_shadow_mode_sends_the_robot_nothing() -> None:
    with Rig(shadow=True) as rig:
        seen: list = []
        from geometry_msgs.msg import PoseStamped

        rig.node.create_subscription(PoseStamped, "policy/shadow/arm/target_pose", seen.append, 1)
        rig.bring_up()
        time.sleep(0.5)
        assert rig.robot.goals[0] == []
        assert rig.robot.commands[0] == []
        assert len(seen) > 5
        topics = dict(rig.node.get_publisher_names_and_types_by_node("policy", "/"))
        assert "/arm/target_pose" not in topics


def test_sigkill_of_the_worker_stops_at_once_and_it_comes_back() -> None:
    with Rig(worker="process", resume_within_s=30.0) as rig:
        rig.bring_up()
        count = len(rig.robot.goals[0])
        killed_ns = time.monotonic_ns()
        os.kill(rig.workers()[0], signal.SIGKILL)
        rig.wait_for_reason(Reason.POLICY_RESTARTING)
        goals = rig.robot.goals[0][count:]
        positions = [goal.position for goal in goals]
        first_held = positions.index(positions[-1])
        assert goals[first_held].arrived_ns - killed_ns < 1_000_000_000
        rig.wait_for(lambda: rig.statuses[-1].moving, "motion", 30.0)
