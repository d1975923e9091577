# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Inputs and policies that fail: the robot holds, says why, and goes on when it may."""

from __future__ import annotations

import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from policy_rig import ACTIVATE, CONFIGURE, Rig
from sensor_msgs.msg import Image

from evla_ros.control.reasons import Reason
from evla_ros.ros.qos import newest_only

pytestmark = [pytest.mark.timeout(90), pytest.mark.usefixtures("ros_domain")]


HOLD_S = 0.4  # the limits let a goal get back to the arm within this


def assert_still(rig: Rig, seconds: float = 0.3) -> None:
    """Check that the goals come to rest, and are one and the same from then on."""
    time.sleep(HOLD_S)
    positions = {goal.position for goal in rig.goals_after(seconds)}
    assert len(positions) <= 1


def test_a_camera_dies_and_comes_back() -> None:
    with Rig(resume_within_s=1.5) as rig:
        rig.bring_up()
        rig.robot.switches.cameras["wrist"] = False
        rig.wait_for_reason(Reason.CAMERA_STALE)
        assert "wrist" in rig.statuses[-1].reason_text
        assert_still(rig)
        rig.robot.switches.cameras["wrist"] = True
        rig.wait_for(lambda: rig.statuses[-1].moving, "motion")
        rig.robot.switches.cameras["primary"] = False
        rig.wait_for(lambda: not rig.statuses[-1].started, "the end of patience")
        rig.robot.switches.cameras["primary"] = True
        rig.wait_for_reason(Reason.NOT_STARTED)
        assert "last stop" in rig.statuses[-1].reason_text
        assert_still(rig)
        rig.start_moving()


def test_the_pose_source_dies() -> None:
    with Rig() as rig:
        rig.bring_up()
        rig.robot.switches.poses = False
        rig.wait_for_reason(Reason.POSE_STALE)
        time.sleep(0.3)
        assert_still(rig)
        rig.robot.switches.poses = True
        rig.wait_for(lambda: rig.statuses[-1].moving, "motion")


def test_instructions_come_change_and_go() -> None:
    with Rig() as rig:
        assert rig.transition(CONFIGURE)
        assert rig.transition(ACTIVATE)
        rig.wait_for_reason(Reason.NO_INSTRUCTION)
        refusal = rig.trigger("start")
        assert not refusal.success
        assert "instruction" in refusal.message
        rig.instruct("draw a circle")
        rig.start_moving()
        rig.wait_for(lambda: rig.chunks, "a chunk")
        assert rig.chunks[-1].instruction == "draw a circle"
        rig.robot.say("draw a larger circle")
        rig.wait_for(lambda: rig.chunks[-1].instruction == "draw a larger circle", "the new one")
        rig.instruct("   ")
        rig.wait_for_reason(Reason.NO_INSTRUCTION)
        assert_still(rig)


@pytest.mark.parametrize(
    ("lie", "said"),
    [
        ({"step": 3}, "step 3"),
        ({"height": 4000}, "4000"),
        ({"encoding": "rainbow8"}, "rainbow8"),
    ],
)
def test_an_image_that_lies_is_named(lie: dict[str, object], said: str) -> None:
    with Rig() as rig:
        rig.bring_up()
        for name, value in lie.items():
            setattr(rig.robot.image_message, name, value)
        rig.wait_for_reason(Reason.INPUT_INVALID)
        assert said in rig.statuses[-1].reason_text
        assert "camera" in rig.statuses[-1].reason_text
        assert_still(rig)


def test_two_publishers_on_one_camera_are_noticed() -> None:
    with Rig() as rig:
        rig.bring_up()
        topic = rig.embodiment.cameras["primary"].topic
        second = rig.node.create_publisher(Image, topic, newest_only())

        def both() -> bool:
            rig.robot.image_message.header.stamp = rig.node.get_clock().now().to_msg()
            second.publish(rig.robot.image_message)
            time.sleep(0.01)
            return rig.statuses[-1].reason == Reason.CAMERA_CONFLICT

        rig.wait_for(both, "conflict")
        assert_still(rig, 0.2)


def test_a_policy_that_raises_is_asked_again_then_given_up() -> None:
    with Rig(faults={"raising": {"after": 4, "times": 2}}, retry_s=0.2) as rig:
        rig.bring_up()
        rig.wait_for(lambda: any("call 6" in line for line in rig.log), "the second error")
        rig.wait_for(lambda: rig.statuses[-1].moving, "motion after it")
    with Rig(faults={"raising": {"after": 4}}, resume_within_s=0.5) as rig:
        rig.bring_up()
        rig.wait_for(lambda: not rig.statuses[-1].started, "the end of patience")
        assert rig.statuses[-1].last_stop_reason == Reason.POLICY_FAILED
        assert_still(rig)


def test_a_policy_whose_first_answer_is_not_finite_is_not_configured() -> None:
    with Rig(faults={"broken": {"kind": "nan"}}) as rig:
        assert not rig.transition(CONFIGURE)
        rig.wait_for(lambda: any("not finite" in line for line in rig.log), "the reason")


def test_answers_that_stop_being_finite_end_in_a_hold() -> None:
    with Rig(faults={"broken": {"kind": "nan", "after": 6}}, resume_within_s=0.5) as rig:
        rig.bring_up()
        rig.wait_for(lambda: not rig.statuses[-1].started, "the end of patience")
        assert rig.statuses[-1].last_stop_reason == Reason.ACTION_INVALID
        assert_still(rig)


@pytest.mark.parametrize("kind", ["huge", "shape", "extremes"])
def test_nonsense_from_the_policy_moves_nothing_far(kind: str) -> None:
    with Rig(faults={"broken": {"kind": kind}}, resume_within_s=0.5) as rig:
        assert rig.transition(CONFIGURE)
        assert rig.transition(ACTIVATE)
        rig.robot.say("go")
        rig.wait_for(lambda: rig.trigger("start").success, "start")
        time.sleep(1.0)
        limits = rig.embodiment.arms[0].limits
        positions = np.array([goal.position for goal in rig.robot.goals[0]])
        assert len(positions) > 10
        assert np.all(positions >= np.array(limits.workspace_min_m) - 1e-9)
        assert np.all(positions <= np.array(limits.workspace_max_m) + 1e-9)
        if kind == "shape":
            assert rig.statuses[-1].reason in (Reason.ACTION_INVALID, Reason.NOT_STARTED)
            assert len(np.unique(positions, axis=0)) == 1


def test_a_policy_ten_times_too_slow_moves_in_pieces_and_says_so() -> None:
    with Rig(faults={"slow": {"delay_s": 1.5}}) as rig:
        assert rig.transition(CONFIGURE)
        assert rig.transition(ACTIVATE)
        rig.robot.say("draw a circle")
        rig.wait_for(lambda: rig.trigger("start").success, "start")
        rig.wait_for_reason(Reason.CHUNK_EXHAUSTED)
        gaps = np.diff([goal.arrived_ns for goal in rig.goals_after(1.0)]) / 1e6
        assert np.median(gaps) < 40  # goals go on while inference takes its time


def test_a_policy_that_hangs_is_ended_and_replaced() -> None:
    rig = Rig(
        worker="process", inference_timeout_s=0.6, faults={"slow": {"delay_s": 60.0}}, policy="hold"
    )
    with rig:
        assert not rig.transition(CONFIGURE)
        rig.wait_for(lambda: any("did not answer" in line for line in rig.log), "the reason")
        assert rig.state() == "unconfigured"


def test_parameters_out_of_bounds_are_refused() -> None:
    with Rig() as rig:
        taken, why = rig.set_parameter("blend_s", 99.0)
        assert not taken
        assert "blend_s" in why
        rig.bring_up()
        taken, why = rig.set_parameter("limits.arm.max_speed_m_s", 5.0)
        assert not taken
        assert "tightened" in why
        taken, why = rig.set_parameter("blend_s", 0.1)
        assert not taken
        assert "configure" in why
        assert rig.set_parameter("limits.arm.max_speed_m_s", 0.02) == (True, "")
        time.sleep(0.3)
        goals = rig.goals_after(0.5)
        way = np.linalg.norm(np.subtract(goals[-1].position, goals[0].position))
        assert way <= 0.02 * 0.5 * 1.2
        assert "max_speed_m_s" in rig.describe_parameter("limits.arm.max_speed_m_s").description


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"embodiment": "tabletop_amr"}, "tabletop_arm"),
        ({"policy": "evla", "checkpoint": "/nowhere"}, "/nowhere"),
        ({"limits.arm.max_speed_m_s": 3.0}, "tightened"),
        ({"faults": "{"}, "JSON"),
    ],
)
def test_what_cannot_be_configured_is_said_and_can_be_repaired(
    parameters: dict[str, object], said: str
) -> None:
    if "checkpoint" in parameters:
        pytest.importorskip("torch", reason="the EVLA policy needs PyTorch: `make build`")
    with Rig(overrides=parameters) as rig:
        assert not rig.transition(CONFIGURE)
        rig.wait_for(lambda: any(said in line for line in rig.log), said)
        assert rig.state() == "unconfigured"
        assert not any("Traceback" in line for line in rig.log)
