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

from policy_rig import Rig
from std_msgs.msg import Bool, Float64

from evla_ros.control.reasons import Reason
from evla_ros.ros.executables import REFUSED

pytestmark = [pytest.mark.timeout(90), pytest.mark.usefixtures("ros_domain")]


HOLD_S = 0.4  # the limits let a goal get back to the arm within this


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
        time.sleep(HOLD_S)
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
        time.sleep(HOLD_S)
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
        speed = rig.embodiment.arms[0].limits.max_speed_m_s
        steps = np.diff([goal.position for goal in goals], axis=0)
        # The arm goes on while its pose is on its way and the goal comes back within the limits.
        assert off < 0.01
        assert np.linalg.norm(steps, axis=1).max() < speed * 0.04 * 1.01  # two periods at most
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


def test_the_hold_does_not_wait_for_an_inference_under_way() -> None:
    with Rig(faults={"slow": {"delay_s": 0.7}}, replan_time_left_s=10.0) as rig:
        rig.bring_up()
        count = len(rig.chunks)
        rig.wait_for(lambda: len(rig.chunks) > count, "chunk")  # the next inference begins
        rig.process.send_signal(signal.SIGINT)
        assert rig.process.wait(10) == 0
        goals = rig.robot.goals[0]
        # The node waits up to half a second for the inference; the robot is held meanwhile.
        last = [goal for goal in goals if goal.arrived_ns > goals[-1].arrived_ns - 0.2e9]
        assert len(last) > 3
        positions = np.array([goal.position for goal in last])
        assert np.ptp(positions, axis=0).max() < 0.005


def test_a_busy_policy_ends_with_a_node_that_is_killed(still_run) -> None:
    slow = {"slow": {"delay_s": 60.0, "busy": True}}
    with Rig(worker="process", faults=slow, autostart=True, inference_timeout_s=90.0) as rig:
        rig.wait_for(rig.workers, "the policy's process", 30.0)
        worker = rig.workers()[0]
        time.sleep(1.0)  # it is asked for its first answer
        rig.process.kill()
        assert not still_run([worker])


def test_ctrl_c_ends_a_node_that_is_loading(still_run) -> None:
    slow = {"slow": {"delay_s": 60.0, "busy": True}}
    with Rig(worker="process", faults=slow, autostart=True, inference_timeout_s=90.0) as rig:
        rig.wait_for(rig.workers, "the policy's process", 30.0)
        worker = rig.workers()[0]
        time.sleep(1.0)  # it is asked for its first answer
        rig.process.send_signal(signal.SIGINT)
        assert rig.process.wait(10) == 0
        assert "still getting ready" in "\n".join(rig.log)
        assert not still_run([worker])


def test_a_node_that_starts_itself_ends_when_it_cannot() -> None:
    with Rig(overrides={"embodiment": "no_such_robot"}, autostart=True) as rig:
        assert rig.process.wait(30) == REFUSED
        rig.wait_for(lambda: "no_such_robot" in "\n".join(rig.log), "the sentence")
        assert "Traceback" not in "\n".join(rig.log)
