# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle rules of the policy node, each with the real node in its own process."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from policy_rig import ACTIVATE, CLEANUP, CONFIGURE, DEACTIVATE, Rig

from evla_ros.control.reasons import Reason

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("ros_domain")]


def published_by_the_node(rig: Rig) -> set[str]:
    """Return the topics that the node publishes, without those of every ROS node."""
    common = {"/rosout", "/parameter_events", "/policy/transition_event"}
    name = rig.node.get_publisher_names_and_types_by_node("policy", "/")
    return {topic for topic, _ in name} - common


def test_no_state_but_active_moves_or_publishes() -> None:
    with Rig() as rig:
        rig.robot.say("draw a circle")
        assert rig.state() == "unconfigured"
        time.sleep(0.3)
        assert published_by_the_node(rig) == set()
        assert rig.transition(CONFIGURE)
        assert any("first answer" in line for line in rig.log)
        refusal = rig.trigger("start")
        assert not refusal.success
        assert "activate" in refusal.message
        time.sleep(0.5)
        assert rig.statuses == rig.chunks == rig.diagnostics == []
        assert rig.transition(ACTIVATE)
        rig.wait_for_reason(Reason.NOT_STARTED)
        assert rig.goals_after(0.3) == []
        rig.start_moving()
        assert rig.transition(DEACTIVATE)
        time.sleep(0.2)
        last = rig.robot.goals[0][-1]
        np.testing.assert_allclose(last.position, last.measured, atol=0.02)
        assert rig.statuses[-1].reason == Reason.INACTIVE
        assert rig.goals_after(0.3) == []
        assert rig.transition(CLEANUP)
        rig.wait_for(lambda: not published_by_the_node(rig), "end of its publishers")


def test_the_last_thing_held_is_where_the_arm_was() -> None:
    with Rig(robot={"image_size": (48, 64)}) as rig:
        rig.bring_up()
        rig.robot.switches.follow = 0.02  # a slow arm: goal and measured pose are far apart
        time.sleep(0.8)
        assert rig.transition(DEACTIVATE)
        time.sleep(0.1)
        goals = rig.robot.goals[0]
        last, measured = goals[-1].position, [goal.measured for goal in goals[-60:]]
        ahead = [np.subtract(goal.position, goal.measured) for goal in goals[-60:]]
        off = np.linalg.norm(np.subtract(measured, last), axis=1).min()
        assert off < 0.001
        assert np.linalg.norm(ahead, axis=1).max() > 10 * off


def test_every_state_can_be_left() -> None:
    with Rig() as rig:
        assert not rig.transition(ACTIVATE)
        for _ in range(2):
            assert rig.transition(CONFIGURE)
            assert not rig.transition(CONFIGURE)
            assert rig.transition(ACTIVATE)
            assert not rig.transition(CLEANUP)
            assert rig.transition(DEACTIVATE)
            assert rig.transition(CLEANUP)
        rig.bring_up()
        assert rig.state() == "active"
        assert rig.transition(7)  # shutdown from active, in motion
        rig.wait_for(lambda: not published_by_the_node(rig), "end of its publishers")
        last = rig.robot.goals[0][-1]
        np.testing.assert_allclose(last.position, last.measured, atol=0.02)


def resources(pid: int) -> tuple[int, int, float]:
    """Return threads, descriptors and resident MiB of a process."""
    process = Path(f"/proc/{pid}")
    threads = len(list((process / "task").iterdir()))
    descriptors = len(list((process / "fd").iterdir()))
    pages = int((process / "statm").read_text().split()[1])
    return threads, descriptors, pages * 4096 / 2**20


@pytest.mark.timeout(240)
def test_two_hundred_lives_leave_nothing_behind() -> None:
    with Rig(policy="hold") as rig:

        def live() -> None:
            for transition in (CONFIGURE, ACTIVATE, DEACTIVATE, CLEANUP):
                assert rig.transition(transition), "\n".join(rig.log[-20:])

        for _ in range(50):
            live()
        threads, descriptors, resident = resources(rig.process.pid)
        for _ in range(150):
            live()
        after = resources(rig.process.pid)
        assert after[0] <= threads
        assert after[1] <= descriptors
        assert after[2] < resident + 20.0


def test_a_worker_process_ends_with_its_session() -> None:
    with Rig(worker="process") as rig:
        rig.bring_up()
        workers = rig.workers()
        assert workers
        assert rig.transition(DEACTIVATE)
        assert rig.transition(CLEANUP)
        assert rig.workers() == []
        assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
