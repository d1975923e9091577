# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot whose policy is elsewhere: the server is killed, comes back, changes, answers late."""

from __future__ import annotations

import signal
import time

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("websockets", reason="the extra 'serve' is not installed")

from policy_rig import CONFIGURE, Rig
from policy_server import PolicyServer
from rclpy.time import Time

from evla_ros.control.reasons import Reason

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("ros_domain")]

CIRCLE = ("circle", "--embodiment", "tabletop_arm")


def remote(server: PolicyServer, **parameters) -> Rig:
    return Rig(policy="remote", server=server.url, image_encoding="raw", **parameters)


def test_the_robot_moves_and_tells_what_the_network_costs() -> None:
    with PolicyServer(*CIRCLE) as server, remote(server) as rig:
        rig.bring_up()
        rig.wait_for(lambda: len(rig.chunks) > 3, "chunks")

        def shown() -> dict[str, str]:
            models = [
                one for array in rig.diagnostics for one in array.status if "model" in one.name
            ]
            return {pair.key: pair.value for pair in models[-1].values} if models else {}

        rig.wait_for(lambda: "network p50 [ms]" in shown(), "network ms")
        assert float(shown()["network p50 [ms]"]) > 0
        assert rig.statuses[-1].policy == f"remote {server.url}"


def test_a_killed_server_holds_and_one_that_returns_in_time_goes_on() -> None:
    with PolicyServer(*CIRCLE) as server, remote(server, resume_within_s=60.0) as rig:
        rig.bring_up()
        server.kill()
        rig.wait_for_reason(Reason.SERVER_GONE, 20.0)
        assert not rig.statuses[-1].moving
        goals = rig.goals_after(0.5)
        assert len(goals) > 5  # the hold is sent while the connection is tried again
        assert goals[0].position == pytest.approx(goals[-1].position, abs=0.01)
        with PolicyServer(*CIRCLE, port=server.port):
            rig.wait_for(lambda: rig.statuses[-1].moving, "motion", 30.0)


def test_one_that_stays_away_longer_ends_the_motion_until_it_is_started_anew() -> None:
    with PolicyServer(*CIRCLE) as server, remote(server, resume_within_s=0.5) as rig:
        rig.bring_up()
        server.kill()
        rig.wait_for(lambda: rig.statuses[-1].last_stop_reason == Reason.SERVER_GONE, "stop", 20.0)
        with PolicyServer(*CIRCLE, port=server.port):
            time.sleep(1.0)
            assert not rig.statuses[-1].moving
            rig.wait_for_reason(Reason.NOT_STARTED)
            rig.start_moving(30.0)


def test_a_server_that_hangs_is_late_and_its_late_answer_is_not_used() -> None:
    with (
        PolicyServer(*CIRCLE) as server,
        remote(server, inference_timeout_s=1.0, resume_within_s=60.0) as rig,
    ):
        rig.bring_up()
        server.process.send_signal(signal.SIGSTOP)
        rig.wait_for_reason(Reason.SERVER_LATE, 20.0)
        count, stopped = len(rig.chunks), rig.node.get_clock().now()
        server.process.send_signal(signal.SIGCONT)
        rig.wait_for(lambda: rig.statuses[-1].moving, "motion", 30.0)
        first = Time.from_msg(rig.chunks[count].header.stamp)  # the time of the observation
        assert first > stopped


def test_a_server_of_another_robot_is_refused_at_configure() -> None:
    with (
        PolicyServer("hold", "--embodiment", "humanoid_upper_body") as server,
        remote(server) as rig,
    ):
        assert not rig.transition(CONFIGURE)
        rig.wait_for(lambda: any("another robot" in line for line in rig.log), "sentence")


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"policy": "remote"}, "needs `server`"),
        ({"policy": "remote", "server": "ws://127.0.0.1:9"}, "Connection refused"),
        ({"policy": "circle", "server": "ws://127.0.0.1:9"}, "has no effect"),
        ({"policy": "remote", "server": "ws://127.0.0.1:9", "checkpoint": "x"}, "has no effect"),
    ],
)
def test_parameters_that_cannot_work_are_named(parameters, sentence) -> None:
    with Rig(**parameters) as rig:
        assert not rig.transition(CONFIGURE)
        rig.wait_for(lambda: any(sentence in line for line in rig.log), sentence)
