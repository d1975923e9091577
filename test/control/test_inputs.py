# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the world outside is told to be: control topics, the graph, messages of no use."""

from __future__ import annotations

import pytest

from evla_ros.control.graph_watch import UnheardPublisher
from evla_ros.control.inputs import Inputs
from evla_ros.control.reasons import Reason, foremost
from evla_ros.control.settings import ControlSettings
from evla_ros.control.watchdog import frame_problem, joint_problem
from evla_ros.embodiment import Embodiment, load_embodiment
from evla_ros.embodiment.schema import Estop

MS = 1_000_000
NOW = 1_000_000 * MS
BODY = load_embodiment("tabletop_arm")


def ready(body: Embodiment = BODY, **settings: object) -> Inputs:
    """Return inputs with nothing the matter at NOW."""
    inputs = Inputs(body, ControlSettings(**settings))
    inputs.instruction = "go"
    for stream in inputs.watchdog.streams.values():
        stream.note(NOW, NOW)
    assert inputs.findings(NOW) == [] or body is not BODY
    return inputs


def with_heartbeat(seconds: float) -> Embodiment:
    return BODY.model_copy(update={"estop": Estop(topic="estop", heartbeat_s=seconds)})


def test_setters_say_whether_something_changed() -> None:
    inputs = ready()
    assert [inputs.set_estop(pressed) for pressed in (False, True, True, False, False)] == [
        False,
        True,
        False,
        True,
        False,
    ]
    assert inputs.estop_latched
    assert [inputs.set_teleop(active) for active in (False, True, True, False)] == [
        False,
        True,
        False,
        True,
    ]


def test_without_a_heartbeat_the_button_may_be_silent() -> None:
    assert ready().findings(NOW + 60_000 * MS) != []
    assert not [f for f in ready().findings(NOW) if f.reason is Reason.ESTOP_SILENT]


def test_a_silent_heartbeat_is_a_stop_that_is_not_latched() -> None:
    inputs = ready(with_heartbeat(0.3))
    found = foremost(inputs.findings(NOW))
    assert found is not None
    assert found.reason is Reason.ESTOP_SILENT
    assert "not heard yet" in found.text
    assert not inputs.set_estop(False, NOW)
    late = {f.reason for f in inputs.findings(NOW + 300 * MS)}
    assert Reason.ESTOP_SILENT not in late
    found = foremost(inputs.findings(NOW + 301 * MS))
    assert found is not None
    assert "0.3 s" in found.text
    inputs.set_estop(False, NOW + 400 * MS)
    assert Reason.ESTOP_SILENT not in {f.reason for f in inputs.findings(NOW + 400 * MS)}
    inputs.clock_jumped()
    assert Reason.ESTOP_SILENT in {f.reason for f in inputs.findings(NOW)}


def test_the_heartbeat_enters_the_hash_only_when_it_is_there() -> None:
    assert BODY.model_dump(mode="json")["estop"] == {"topic": "estop"}
    assert with_heartbeat(0.3).model_dump(mode="json")["estop"]["heartbeat_s"] == 0.3
    assert with_heartbeat(0.3).content_hash != BODY.content_hash


def test_a_publisher_that_cannot_be_heard_is_named() -> None:
    graph = ready().graph
    rival = UnheardPublisher("/estop", "/panel", "durability volatile")
    assert graph.set_unheard([rival])
    assert not graph.set_unheard([rival])
    assert [f.text for f in graph.findings()] == [
        f"{Reason.CONTROL_UNHEARD.sentence} (/estop: /panel offers durability volatile)"
    ]
    assert graph.set_unheard([])
    assert graph.findings() == []


def test_two_publishers_of_a_pose_and_rivals_for_an_arm_are_named() -> None:
    graph = ready().graph
    assert not graph.set_pose_publishers("/pose", ["/driver"]) or graph.findings() == []
    assert graph.set_pose_publishers("/pose", ["/driver", "/driver"])
    graph.set_rival_goal_publishers("/goal", ["/other_policy"])
    assert {(f.reason, f.detail) for f in graph.findings()} == {
        (Reason.POSE_CONFLICT, "/pose: /driver, /driver"),
        (Reason.GOAL_CONFLICT, "/goal: /other_policy"),
    }
    graph.set_pose_publishers("/pose", ["/driver"])
    graph.set_rival_goal_publishers("/goal", [])
    assert graph.findings() == []


def test_nothing_starts_while_stop_buttons_are_looked_for() -> None:
    graph = ready().graph
    assert graph.set_listening(True)
    assert not graph.set_listening(True)
    assert [f.reason for f in graph.findings()] == [Reason.LISTENING]
    assert graph.set_listening(False)
    assert graph.findings() == []


@pytest.mark.parametrize("allowed", [True, False])
def test_a_command_that_nobody_takes_is_a_reason_unless_it_is_allowed(*, allowed: bool) -> None:
    graph = ready(allow_unheard_goals=allowed).graph
    assert graph.findings() == []
    graph.set_listeners("/gripper", 0)
    graph.set_listeners("/goal", 2)
    assert [f.detail for f in graph.findings()] == ([] if allowed else ["/gripper"])
    assert graph.set_listeners("/gripper", 1)
    assert graph.findings() == []


def test_a_wrong_frame_is_said_with_both_frames_for_as_long_as_it_comes() -> None:
    inputs = Inputs(BODY, ControlSettings())
    pose = inputs.poses[0]
    for ms in range(0, 2000, 10):
        problem = frame_problem("world", "base_link")
        new = pose.reject(problem, NOW + ms * MS, Reason.WRONG_FRAME)
        assert new == (ms == 0)
        found = foremost(inputs.findings(NOW + ms * MS))
        assert found is not None
        assert found.reason is Reason.WRONG_FRAME
        assert "'world'" in found.text
        assert "'base_link'" in found.text
    silent = pose.findings(NOW + 2500 * MS, 1000 * MS)
    assert [f.reason for f in silent] == [Reason.POSE_MISSING]
    pose.note(NOW + 2600 * MS, NOW + 2600 * MS)
    assert pose.findings(NOW + 2600 * MS, 1000 * MS) == []


def test_a_wrong_joint_is_said_with_the_joints_that_are_there() -> None:
    inputs = ready()
    gripper = inputs.grippers[0]
    assert gripper is not None
    problem = joint_problem("finger", ["left_finger", "right_finger"])
    assert gripper.reject(problem, NOW, Reason.WRONG_JOINT)
    found = foremost(inputs.findings(NOW))
    assert found is not None
    assert found.reason is Reason.WRONG_JOINT
    assert "no joint 'finger'; the message has left_finger, right_finger" in found.text


def test_joints_that_proprio_reads_must_be_fresh() -> None:
    assert BODY.proprio
    assert Inputs(BODY, ControlSettings()).joints is None
    body = BODY.model_copy(update={"proprio": ["ee_pose", "joint_positions"]})
    inputs = Inputs(body, ControlSettings())
    inputs.instruction = "go"
    for stream in inputs.watchdog.streams.values():
        if stream is not inputs.joints:
            stream.note(NOW, NOW)
    assert [f.reason for f in inputs.findings(NOW)] == [Reason.JOINTS_MISSING]
    assert inputs.joints is not None
    inputs.joints.note(NOW - 600 * MS, NOW - 600 * MS)
    assert [f.reason for f in inputs.findings(NOW)] == [Reason.JOINTS_STALE]
    inputs.joints.note(NOW, NOW)
    assert inputs.findings(NOW) == []


def test_stamps_of_every_stream_must_be_on_the_nodes_clock() -> None:
    inputs = ready()
    inputs.poses[0].note(NOW - 5000 * MS, NOW)
    assert [(f.reason, f.detail) for f in inputs.findings(NOW)] == [
        (Reason.STAMP_SKEW, "pose arm: off by 5 s")
    ]
