# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The action ~/run: a planner starts motion, hears how it goes, cancels, gets one result."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from action_msgs.msg import GoalStatus
from policy_rig import ACTIVATE, CONFIGURE, DEACTIVATE, Rig
from rclpy.action import ActionClient

from evla_ros.action import RunPolicy
from evla_ros.msg import PolicyStatus

pytestmark = [pytest.mark.timeout(240), pytest.mark.usefixtures("ros_domain")]


class Planner:
    """Sends goals from the test's thread; the rig's executor serves the answers."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.client = ActionClient(rig.node, RunPolicy, "policy/run")
        assert self.client.wait_for_server(20.0)
        self.feedback: list[RunPolicy.Feedback] = []

    def send(self, **fields: Any) -> Any:
        """Return the handle of an accepted goal."""
        goal = RunPolicy.Goal(**fields)
        future = self.client.send_goal_async(goal, lambda m: self.feedback.append(m.feedback))
        handle = self._wait(future)
        assert handle.accepted
        return handle

    def result(self, handle: Any, timeout_s: float = 30.0) -> tuple[int, RunPolicy.Result]:
        answer = self._wait(handle.get_result_async(), timeout_s)
        return answer.status, answer.result

    def cancel(self, handle: Any) -> None:
        assert self._wait(handle.cancel_goal_async()).goals_canceling

    def _wait(self, future: Any, timeout_s: float = 20.0) -> Any:
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        assert done.wait(timeout_s), "\n".join(self._rig.log[-20:])
        return future.result()


def ready(rig: Rig) -> Planner:
    """Bring the node up, not started, with all that a start needs."""
    for transition in (CONFIGURE, ACTIVATE):
        assert rig.transition(transition), rig.log
    planner = Planner(rig)
    rig.robot.say("wait")
    rig.wait_for_reason(PolicyStatus.REASON_NOT_STARTED)
    return planner


def test_a_run_moves_for_its_time_tells_how_it_goes_and_ends_with_a_hold() -> None:
    with Rig() as rig:
        planner = ready(rig)
        handle = planner.send(instruction="draw a circle", max_duration_s=2.0)
        rig.wait_for(lambda: rig.statuses[-1].moving, "motion")
        assert rig.statuses[-1].instruction == "draw a circle"
        status, result = planner.result(handle)
        assert status == GoalStatus.STATUS_SUCCEEDED
        assert result.success
        assert result.reason == PolicyStatus.REASON_RUN_ENDED
        assert 1.9 < result.elapsed_s < 4.0
        assert any(f.source == "policy" and f.elapsed_s > 0.0 for f in planner.feedback)
        rig.wait_for_reason(PolicyStatus.REASON_RUN_ENDED)
        assert not rig.statuses[-1].started

        handle = planner.send()
        rig.wait_for(lambda: rig.statuses[-1].moving, "motion without a limit")
        planner.cancel(handle)
        status, result = planner.result(handle)
        assert status == GoalStatus.STATUS_CANCELED
        assert "cancelled" in result.text
        rig.wait_for(lambda: not rig.statuses[-1].started, "the end of motion")


def test_only_one_goal_runs_and_every_refusal_has_its_sentence() -> None:
    with Rig() as rig:
        planner = ready(rig)

        def refusal(**fields: Any) -> str:
            status, result = planner.result(planner.send(**fields))
            assert status == GoalStatus.STATUS_ABORTED
            assert not result.success
            return str(result.text)

        assert "is not that of this robot" in refusal(contract_hash="0" * 64)
        assert "is no time" in refusal(max_duration_s=-1.0)
        assert "is no time" in refusal(max_duration_s=float("nan"))
        assert "at most 1000" in refusal(instruction="x" * 1001)
        assert "nobody serves" in refusal(record=True)
        handle = planner.send(contract_hash=rig.embodiment.content_hash)
        rig.wait_for(lambda: rig.statuses[-1].moving, "motion")
        assert "another run is in progress" in refusal(instruction="something else")
        assert rig.statuses[-1].instruction == "wait", "a refused goal changes nothing"
        rig.robot.press_estop(True)
        status, result = planner.result(handle)
        assert (status, result.reason) == (GoalStatus.STATUS_ABORTED, PolicyStatus.REASON_ESTOP)
        assert "stop" in refusal()
        rig.robot.press_estop(False)
        rig.wait_for(lambda: rig.trigger("reset_estop").success, "the release")
        rig.start_moving()
        assert "moving already" in refusal()
        rig.trigger("stop")
        handle = planner.send()
        rig.wait_for(lambda: rig.statuses[-1].moving, "motion")
        assert rig.transition(DEACTIVATE)
        status, result = planner.result(handle)
        assert (status, result.reason) == (GoalStatus.STATUS_ABORTED, PolicyStatus.REASON_INACTIVE)
        assert "not active" in refusal()


def test_a_recorded_run_is_one_episode(tmp_path) -> None:
    import rclpy
    from live_recorder import Recording

    from evla_ros.data.bags.reader import open_bag

    with Rig() as rig:
        context = rclpy.Context()
        rclpy.init(context=context)
        recorder = Recording(context, tmp_path / "bags")
        try:
            planner = ready(rig)
            deadline = time.monotonic() + 30
            while True:
                fields = {"instruction": "draw a circle", "max_duration_s": 1.5, "record": True}
                status, result = planner.result(planner.send(**fields))
                if status == GoalStatus.STATUS_SUCCEEDED:
                    break
                assert time.monotonic() < deadline, result.text
                time.sleep(0.5)
            with open_bag(tmp_path / "bags" / result.episode_id) as bag:
                assert bag.info.custom_data["instruction"] == "draw a circle"
                assert bag.info.custom_data["state"] == "finished"
                assert bag.info.topics["/arm/target_pose"].count > 20
            kept = recorder.node._recorder.kept
            handle = planner.send(record=True)
            rig.wait_for(lambda: rig.statuses[-1].moving, "motion")
            planner.cancel(handle)
            status, result = planner.result(handle)
            assert status == GoalStatus.STATUS_CANCELED, result.text
            assert result.episode_id
            assert recorder.node._recorder.kept == kept + 1
            rig.robot.press_estop(True)
            rig.wait_for_reason(PolicyStatus.REASON_ESTOP)
            status, result = planner.result(planner.send(record=True))
            assert status == GoalStatus.STATUS_ABORTED
            assert result.reason == PolicyStatus.REASON_ESTOP
            assert result.episode_id == "", "a run that did not start leaves no episode"
        finally:
            recorder.close()
            rclpy.try_shutdown(context=context)
