# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""More than one arm, more than one robot, and a clock that is not the wall's."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from policy_rig import ACTIVATE, CONFIGURE, Rig
from rosgraph_msgs.msg import Clock

from evla_ros.control.reasons import Reason
from evla_ros.geometry import Pose
from evla_ros.ros.pose_conversion import time_message

pytestmark = [pytest.mark.timeout(90), pytest.mark.usefixtures("ros_domain")]


def test_two_arms_and_three_cameras() -> None:
    home = Pose.from_xyz_rpy([0.4, 0.0, 0.3], [3.1, 0.0, 0.0])
    with Rig("humanoid_upper_body", robot={"image_size": (48, 64), "home": home}) as rig:
        rig.bring_up()
        rig.wait_for(lambda: all(len(goals) > 20 for goals in rig.robot.goals), "goals of both")
        rig.wait_for(lambda: all(rig.robot.commands), "gripper commands of both")
        status = rig.statuses[-1]
        assert {"camera left_wrist", "pose right", "gripper left"} <= set(status.stream_names)
        chunk = rig.chunks[-1]
        assert (chunk.chunk_length, chunk.action_dim) == (8, 14)
        assert chunk.names[0] == "left_dx"
        assert len(chunk.actions) == 8 * 14
        rig.wait_for(lambda: rig.diagnostics, "diagnostics")
        names = {entry.name for entry in rig.diagnostics[-1].status}
        assert {"/policy: camera primary", "/policy: model", "/policy: safety"} <= names


def test_two_robots_in_two_namespaces_do_not_hear_each_other() -> None:
    with Rig(namespace="alpha") as alpha, Rig(namespace="beta") as beta:
        alpha.bring_up()
        assert beta.transition(CONFIGURE)
        assert beta.transition(ACTIVATE)
        beta.wait_for_reason(Reason.NO_INSTRUCTION)
        assert len(alpha.goals_after(0.3)) > 5
        assert beta.robot.goals[0] == []
        beta.robot.say("draw a circle")
        beta.start_moving()
        assert alpha.trigger("stop").success
        time.sleep(0.2)
        assert beta.statuses[-1].moving


class SimulatedClock:
    """Publishes /clock at 100 Hz, at real speed, until told to jump."""

    def __init__(self, rig: Rig) -> None:
        self.now_ns = 1000 * 10**9
        self._publisher = rig.node.create_publisher(Clock, "/clock", 10)
        self._ended = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self._ended.wait(0.01):
            self.now_ns += 10_000_000
            self._publisher.publish(Clock(clock=time_message(self.now_ns)))

    def stop(self) -> None:
        self._ended.set()


def test_simulated_time_that_jumps_back_stops_the_robot() -> None:
    with Rig(use_sim_time=True) as rig:
        clock = SimulatedClock(rig)
        rig.robot._now_ns = lambda: clock.now_ns
        rig.bring_up()
        assert abs(rig.robot.goals[0][-1].stamp_ns - clock.now_ns) < 10**9
        clock.now_ns = 500 * 10**9
        rig.wait_for_reason(Reason.CLOCK_JUMP)
        positions = np.array([goal.position for goal in rig.goals_after(0.4)])
        assert len(np.unique(positions, axis=0)) <= 1
        rig.start_moving()
        clock.stop()
