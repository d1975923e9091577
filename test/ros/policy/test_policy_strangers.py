# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who else is in the graph: rivals, a second source of poses, unheard buttons, deaf grippers."""

from __future__ import annotations

import threading
import time

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from geometry_msgs.msg import PoseStamped
from std_msgs.msg import Bool, Float64, String

from evla_ros.control.reasons import Reason
from evla_ros.ros.qos import reliable

pytestmark = pytest.mark.timeout(90)
GOAL, POSE, COMMAND = "arm/target_pose", "arm/current_pose", "arm/gripper/command"
PATIENT = {"resume_within_s": 30.0}


def until(condition, what: str = "") -> None:
    end_s = time.monotonic() + 25.0
    while not condition():
        assert time.monotonic() < end_s, what
        time.sleep(0.01)


def holds_for(core, reason: Reason) -> str:
    """Wait for a reason, and until discovery has the names of its nodes; return its detail."""

    def holds() -> bool:
        finding = core.status().finding
        return finding.reason is reason and "not known yet" not in finding.detail

    until(holds, f"{core.status().finding}, not {reason}")
    return core.status().finding.detail


def test_another_publisher_of_goals_ends_motion_and_is_named(live_policy, stranger) -> None:
    node = live_policy(resume_within_s=0.5)
    core = node._session.core
    until(lambda: core.status().moving)
    rival = stranger("rival")
    publisher = rival.create_publisher(PoseStamped, GOAL, 1)
    assert holds_for(core, Reason.GOAL_CONFLICT) == "/arm/target_pose: /rival"
    until(lambda: not core.status().started, "the end of motion")
    assert core.status().last_stop.finding.reason is Reason.GOAL_CONFLICT
    refusal = node._session.start_motion()
    assert refusal.reason is Reason.GOAL_CONFLICT
    assert "/rival" in refusal.text
    rival.destroy_publisher(publisher)
    until(lambda: node._session.start_motion() is None, "the next start")


def test_two_policy_nodes_on_one_arm_refuse_each_other(live_policy) -> None:
    nodes = [live_policy(moving=False) for _ in range(2)]
    for node in nodes:
        until(lambda node=node: node._session.start_motion() is not None)
        assert holds_for(node._session.core, Reason.GOAL_CONFLICT) == "/arm/target_pose: /policy"
        assert node._session.start_motion().reason is Reason.GOAL_CONFLICT


def test_teleoperation_may_publish_goals_for_it_announces_itself(live_policy, stranger) -> None:
    node = live_policy(**PATIENT)
    core = node._session.core
    teleop = stranger("teleop")
    teleop.create_publisher(PoseStamped, GOAL, 1)
    active = teleop.create_publisher(Bool, "teleop/active", reliable())
    until(lambda: active.get_subscription_count() == 2)
    time.sleep(1.2)  # two looks
    assert node._session.start_motion() is None
    until(lambda: core.status().moving)
    active.publish(Bool(data=True))
    holds_for(core, Reason.TELEOP)


def test_two_sources_of_one_pose_are_named(live_policy, stranger) -> None:
    node = live_policy(**PATIENT)
    core = node._session.core
    second = stranger("second_driver")
    publisher = second.create_publisher(PoseStamped, POSE, 1)
    named = "/arm/current_pose: /robot, /second_driver"
    assert holds_for(core, Reason.POSE_CONFLICT) == named
    second.destroy_publisher(publisher)
    until(lambda: core.status().moving)


def test_a_stop_button_of_another_type_holds_the_robot(live_policy, stranger) -> None:
    node = live_policy(moving=False)
    stranger("panel").create_publisher(String, "estop", 1)
    detail = holds_for(node._session.core, Reason.CONTROL_UNHEARD)
    assert detail == "/estop: /panel offers type std_msgs/msg/String, not std_msgs/msg/Bool"
    assert node._session.start_motion().reason is Reason.CONTROL_UNHEARD


@pytest.mark.parametrize("allowed", [True, False])
def test_a_gripper_command_that_nobody_takes(live_policy, robot, *, allowed: bool) -> None:
    deaf = next(s for s in robot._node.subscriptions if s.topic_name == f"/{COMMAND}")
    robot._node.destroy_subscription(deaf)
    node = live_policy(moving=allowed, allow_unheard_goals=allowed)
    core = node._session.core
    if allowed:
        until(lambda: core.status().moving)
    else:
        assert holds_for(core, Reason.GOAL_UNHEARD) == f"/{COMMAND}"
        assert node._session.start_motion().reason is Reason.GOAL_UNHEARD
        robot._node.create_subscription(Float64, COMMAND, lambda _: None, 1)
        until(lambda: node._session.start_motion() is None)


def test_heartbeats_of_buttons_leave_the_goals_at_their_rate(live_policy, robot, stranger) -> None:
    node = live_policy(**PATIENT)
    core = node._session.core
    panel = stranger("panel")
    estop = panel.create_publisher(Bool, "estop", reliable())
    active = panel.create_publisher(Bool, "teleop/active", reliable())
    words = panel.create_publisher(String, "instruction", reliable())
    until(lambda: core.status().moving and words.get_subscription_count() == 2)
    ended = threading.Event()

    def beat() -> None:
        count = 0
        while not ended.wait(0.002):
            active.publish(Bool(data=False))
            if count % 5 == 0:
                estop.publish(Bool(data=False))
                words.publish(String(data="draw a circle"))
            count += 1

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        time.sleep(0.5)
        before, chunks = core.status().goals, core.status().chunks
        time.sleep(2.0)
        status = core.status()
    finally:
        ended.set()
        thread.join()
    assert status.started
    # One goal a period, and one at once for each chunk.
    assert status.goals - before <= 2.2 * robot._embodiment.goal_rate_hz + status.chunks - chunks
