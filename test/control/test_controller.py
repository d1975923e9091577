# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When the robot may move, what stops it, and what it takes to go on."""

from __future__ import annotations

import numpy as np
import pytest
from control_rig import TICK_NS, Rig

from evla_ros.control.acceptance import Acceptance, Fate
from evla_ros.control.reasons import Finding, Reason
from evla_ros.control.settings import ControlSettings
from evla_ros.geometry import Pose, distance, interpolate
from evla_ros.policy.types import Chunk


def moving_rig(**kwargs: object) -> Rig:
    rig = Rig(**kwargs)
    rig.start()
    rig.run(lambda: rig.chunk(0.02), 30)
    assert rig.ticks[-1].moving
    return rig


def test_nothing_is_published_before_start() -> None:
    rig = Rig()
    rig.run(lambda: rig.chunk(0.02), 20)
    assert all(arm.goal is None for tick in rig.ticks for arm in tick.arms)
    assert {tick.finding.reason for tick in rig.ticks} == {Reason.NOT_STARTED}


def test_a_started_robot_follows_the_policy() -> None:
    rig = moving_rig()
    rig.run(lambda: rig.chunk(0.02), 5)
    speed = rig.ticks[-1].arms[0].goal.position_m - rig.ticks[-2].arms[0].goal.position_m
    np.testing.assert_allclose(speed / 0.02, [0.2, 0, 0], atol=0.05)
    assert rig.ticks[-1].arms[0].opening == 1.0


def test_start_is_refused_with_the_reason() -> None:
    rig = Rig(instruction="")
    assert rig.controller.start(rig.now_ns) == Finding(Reason.NO_INSTRUCTION)
    rig.controller.set_instruction("go")
    rig.cameras_on = rig.poses_on = False
    rig.run(None, 60)
    refusal = rig.controller.start(rig.now_ns)
    assert refusal is not None
    assert refusal.reason is Reason.POSE_STALE
    assert "pose arm" in refusal.text


def test_a_robot_outside_its_box_is_not_started() -> None:
    rig = Rig(home=Pose.from_xyz_rpy([0.85, 0.0, 0.3], [0, 0, 0]))
    refusal = rig.controller.start(rig.now_ns)
    assert refusal is not None
    assert refusal.reason is Reason.OUTSIDE_WORKSPACE


def test_a_little_outside_goals_only_go_inwards() -> None:
    rig = Rig(home=Pose.from_xyz_rpy([0.77, 0.0, 0.3], [0, 0, 0]))
    rig.start()
    rig.run(lambda: rig.chunk(0.02), 40)
    x = [tick.arms[0].goal.position_m[0] for tick in rig.ticks]
    assert max(x) <= 0.77 + 1e-12
    rig.run(lambda: rig.chunk(-0.02), 60)
    assert rig.ticks[-1].arms[0].goal.position_m[0] < 0.75


def test_stop_holds_the_measured_pose_then_falls_silent() -> None:
    rig = moving_rig()
    last_goal, measured = rig.ticks[-1].arms[0].goal, rig.measured[0]
    assert distance(last_goal, measured)[0] > 1e-3
    rig.controller.stop(rig.now_ns)
    tick = rig.step()
    assert tick.finding.reason is Reason.OPERATOR_STOP
    assert not rig.controller.at_rest
    held = rig.run(None, int(rig.hold_takes_s(0.1) / 0.02))
    assert all(tick.arms[0].goal is measured for tick in held[-3:])
    assert rig.controller.at_rest
    rig.run(None, int(rig.settings.hold_publish_s / 0.02) + 1 - len(held))
    assert rig.ticks[-1].arms[0].goal is None
    rig.start()
    rig.run(lambda: rig.chunk(0.02), 30)
    assert rig.ticks[-1].moving


@pytest.mark.parametrize("what", ["cameras_on", "poses_on"])
def test_a_short_fault_resumes_a_long_one_needs_a_start(what: str) -> None:
    rig = moving_rig()
    setattr(rig, what, False)
    rig.run(lambda: rig.chunk(0.02), 40)
    assert rig.ticks[-1].finding.reason in (Reason.CAMERA_STALE, Reason.POSE_STALE)
    assert not rig.ticks[-1].moving
    setattr(rig, what, True)
    rig.run(lambda: rig.chunk(0.02), 30)
    assert rig.ticks[-1].moving
    setattr(rig, what, False)
    rig.run(lambda: rig.chunk(0.02), 150)
    setattr(rig, what, True)
    rig.run(lambda: rig.chunk(0.02), 30)
    assert not rig.controller.started
    assert not rig.ticks[-1].moving
    assert "last stop" in rig.ticks[-1].finding.text


def test_the_emergency_stop_latches() -> None:
    rig = moving_rig()
    rig.controller.inputs.set_estop(True)
    tick = rig.step(lambda: rig.chunk(0.02))
    assert tick.finding.reason is Reason.ESTOP
    assert not tick.moving
    assert not rig.controller.inputs.reset_estop()
    rig.controller.inputs.set_estop(False)
    assert rig.step().finding.reason is Reason.ESTOP
    assert rig.controller.start(rig.now_ns) == Finding(Reason.ESTOP)
    assert rig.controller.inputs.reset_estop()
    rig.start()
    rig.run(lambda: rig.chunk(0.02), 20)
    assert rig.ticks[-1].moving


def test_a_new_instruction_drops_the_chunk_and_the_inference_under_way() -> None:
    rig = moving_rig()
    epoch = rig.controller.epoch
    rig.controller.set_instruction("put it down")
    assert rig.controller.epoch == epoch + 1
    answer = rig.controller.accept(Chunk(rig.now_ns, rig.chunk(0.02)), epoch, rig.now_ns)
    assert answer == Acceptance(Fate.OUTDATED)
    tick = rig.step()
    assert tick.finding.reason is Reason.WAITING_FOR_CHUNK
    rig.run(lambda: rig.chunk(0.02), 20)
    assert rig.ticks[-1].moving


@pytest.mark.parametrize("jump_ns", [-3_600_000_000_000, -400_000_000, 30_000_000_000])
def test_a_clock_jump_stops_and_needs_a_start(jump_ns: int) -> None:
    rig = moving_rig()
    measured = rig.measured[0]
    rig.now_ns += jump_ns
    tick = rig.step(lambda: rig.chunk(0.02))
    assert not tick.moving
    assert distance(tick.arms[0].goal, measured)[0] < 0.011  # a pose with an old stamp is not taken
    rig.run(lambda: rig.chunk(0.02), 100)
    assert rig.ticks[-1].finding.reason is Reason.CLOCK_JUMP
    rig.start()
    rig.run(lambda: rig.chunk(0.02), 30)
    assert rig.ticks[-1].moving


def test_a_blocked_arm_is_not_wound_up() -> None:
    rig = Rig(follow=0.0)
    rig.start()
    rig.run(lambda: rig.chunk(0.04), 150)
    ahead = [distance(tick.arms[0].goal, rig.measured[0])[0] for tick in rig.ticks]
    speed, acceleration = 0.5, rig.embodiment.arms[0].limits.max_acceleration_m_s2
    braking_m = speed * speed / (2 * acceleration) + speed * 0.02
    assert max(ahead) <= rig.settings.max_tracking_error_m + braking_m
    assert Reason.TRACKING_ERROR in {tick.finding.reason for tick in rig.ticks}
    back = next(i for i, tick in enumerate(rig.ticks) if i > 20 and ahead[i] < 2e-3)
    assert all(not tick.moving for tick in rig.ticks[back - 5 : back])
    assert rig.controller.arms[0].clips[Reason.TRACKING_ERROR] >= 1


def test_a_failing_policy_ends_in_a_stop_that_names_it() -> None:
    rig = moving_rig()
    rig.run(lambda: np.full((8, 7), np.nan), 60)
    assert rig.ticks[-1].finding.reason is Reason.ACTION_INVALID
    rig.run(lambda: np.full((8, 7), np.nan), 160)
    assert not rig.controller.started
    assert "not finite" in rig.controller.last_stop.finding.text


def test_an_inference_without_end_stops() -> None:
    rig = moving_rig()
    rig.controller.policy.begin(rig.now_ns)
    rig.run(None, 260)
    assert rig.ticks[-1].finding.reason is Reason.POLICY_TIMEOUT


def test_teleoperation_gets_silence() -> None:
    rig = moving_rig()
    rig.controller.inputs.teleop = True
    tick = rig.step()
    assert tick.finding.reason is Reason.TELEOP
    assert tick.arms[0].goal is None
    rig.controller.inputs.teleop = False
    assert not rig.run(lambda: rig.chunk(0.02), 30)[-1].moving


def test_teleoperation_may_hand_back_by_itself() -> None:
    rig = moving_rig(settings=ControlSettings(resume_after_teleop=True))
    rig.controller.inputs.teleop = True
    for _ in range(50):  # a person moves the arm
        rig.measured[0] = interpolate(rig.measured[0], rig.home, 0.1)
        assert rig.step(lambda: rig.chunk(0.02)).arms[0].goal is None
    where = rig.measured[0]
    rig.controller.inputs.teleop = False
    first = rig.step(lambda: rig.chunk(0.02)).arms[0].goal
    assert distance(first, where)[0] < 0.012
    rig.run(lambda: rig.chunk(0.02), 30)
    assert rig.ticks[-1].moving


def test_the_first_goal_is_where_the_arm_is_however_far_the_chunk_points() -> None:
    rig = Rig()
    rig.measured = [Pose.from_xyz_rpy([0.48, 0.02, 0.31], [3.1, 0.0, 0.0])]
    rig.run(None, 1)
    rig.start()
    tick = rig.step(lambda: rig.chunk(0.05))
    assert distance(tick.arms[0].goal, rig.reported[0][-1])[0] <= 0.5 * 0.02


def test_two_arms_move_and_stop_together() -> None:
    rig = moving_rig(name="humanoid_upper_body")
    assert all(arm.goal is not None for arm in rig.ticks[-1].arms)
    rig.controller.inputs.poses[0].received_ns -= 10**9
    stamps = rig.controller.inputs.poses[0].received_ns
    tick = rig.controller.tick(rig.now_ns + TICK_NS, rig.monotonic_ns + TICK_NS)
    assert stamps is not None
    assert not tick.moving
    assert tick.finding == Finding(Reason.POSE_STALE, "pose left: older than 0.2 s")
    rig.poses_on = False
    other = rig.run(None, int(rig.hold_takes_s(0.1) / 0.02))[-1].arms[1].goal
    np.testing.assert_allclose(other.position_m, rig.reported[1][-1].position_m)


@pytest.mark.parametrize(("anchor", "sinks"), [("measured", True), ("goal", False)])
def test_an_arm_that_sags_under_its_goal_sinks_only_with_a_measured_anchor(
    anchor: str, sinks: bool
) -> None:
    rig = Rig(settings=ControlSettings(anchor=anchor))
    rig.start()
    sag = np.array([0.0, 0.0, -0.01])
    for _ in range(100):
        goal = rig.step(lambda: rig.chunk(0.0)).arms[0].goal
        rig.measured[0] = Pose(goal.position_m + sag, goal.quaternion_xyzw)
    assert (rig.ticks[-1].arms[0].goal.position_m[2] < 0.27) == sinks
