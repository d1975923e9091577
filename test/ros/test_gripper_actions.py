# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Grippers that take action goals: one on a change, cancelled on a stop, none in shadow mode."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from control_actions import build, environment
from rclpy.task import Future
from synthetic_bag import SyntheticRobot, write_robot_bag

from evla_ros.data.bags.definitions import definition_of
from evla_ros.data.codecs.bad_sample import BadSampleError
from evla_ros.data.codecs.gripper import gripper_to_cdr, gripper_value
from evla_ros.data.convert.bag_job import read_bag
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.embodiment.streams import Kind, gripper_actions, streams_of
from evla_ros.errors import EvlaError

pytestmark = pytest.mark.timeout(600)
PROCESS = Path(__file__).resolve().parents[1] / "rigs" / "gripper_process.py"
FORMS = {
    "gripper_action": {"command_type": "gripper_action", "max_effort": 20.0},
    "parallel_gripper_action": {
        "command_type": "parallel_gripper_action", "command_joint": "finger_joint",
    },
}  # fmt: skip


def robot(form: str):
    tree = yaml.safe_load(load_embodiment("tabletop_arm").text)
    tree["arms"][0]["gripper"].update(command="grip", **FORMS[form])
    return parse_embodiment(yaml.safe_dump(tree), source=form)


@pytest.fixture(scope="session")
def with_actions(tmp_path_factory):
    if importlib.util.find_spec("control_msgs") is not None:
        return dict(os.environ)
    prefix = build(tmp_path_factory.mktemp("control_msgs"))
    if prefix is None:
        pytest.skip("neither control_msgs nor colcon is installed")
    return environment(prefix)


@pytest.mark.parametrize("form", FORMS)
def test_goals_go_out_on_a_change_and_are_cancelled_on_a_stop(
    with_actions, ros_domain, tmp_path, form
):
    file = tmp_path / "robot.yaml"
    file.write_text(robot(form).text, encoding="utf-8")
    env = {**with_actions, "ROS_DOMAIN_ID": str(ros_domain)}
    command = [sys.executable, str(PROCESS), str(file)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    events = json.loads(done.stdout.splitlines()[-1])["events"]
    if form == "gripper_action":
        opened, closed = ["goal", 0.08, 20.0], ["goal", 0.0, 20.0]
    else:
        opened, closed = ["goal", "finger_joint", 0.08], ["goal", "finger_joint", 0.0]
    # Shadow mode has sent none of its own; the stop cancels what is under way, and ends it.
    assert events == [opened, closed, ["cancel"], closed, ["cancel"]]


@pytest.mark.skipif(
    importlib.util.find_spec("control_msgs") is not None, reason="control_msgs is installed"
)
def test_without_control_msgs_one_sentence_says_what_to_install(ros_domain):
    import rclpy

    from evla_ros.ros.command_output import CommandOutput

    context = rclpy.Context()
    rclpy.init(context=context, domain_id=ros_domain)
    node = rclpy.create_node("ours", context=context)
    with pytest.raises(EvlaError, match="needs control_msgs/action/GripperCommand") as error:
        CommandOutput(node, robot("gripper_action"), shadow=False)
    assert "install control_msgs" in str(error.value)
    node.destroy_node()
    rclpy.try_shutdown(context=context)


def test_a_server_that_has_gone_is_not_waited_for():
    """Its goal may never have been answered; the server that comes next is asked anew."""
    from evla_ros.ros.gripper_action import GripperAction

    class Client:
        ready = True

        def __init__(self):
            self.goals = []

        def server_is_ready(self):
            return self.ready

        def send_goal_async(self, goal):
            self.goals.append(goal)
            return Future()

    class Output(GripperAction):
        def __init__(self, client):
            self._client = client
            self._forget()

        def _goal(self, value):
            return value

    client = Client()
    output = Output(client)
    for ready, value in ((True, 1.0), (True, 1.0), (True, 0.0), (False, 0.0), (True, 0.0)):
        client.ready = ready
        output.send(value)
    assert client.goals == [1.0, 0.0]


def test_an_action_is_no_row_of_the_table():
    body = robot("gripper_action")
    assert streams_of(body).find(Kind.GRIPPER_COMMAND, "arm") is None
    assert gripper_actions(body) == ("grip",)
    assert gripper_actions(load_embodiment("tabletop_arm")) == ()


def reporting(form: str) -> dict:
    """Return a robot whose gripper is known by its action alone."""
    tree = yaml.safe_load(robot(form).text)
    for name in ("state", "state_type"):
        tree["arms"][0]["gripper"].pop(name, None)
    return tree


@pytest.fixture(params=FORMS)
def simulated(request, with_actions, ros_domain, tmp_path):
    """Return a running simulated robot that is told whole ways: file, environment, log."""
    pytest.importorskip("mujoco", reason="the simulator is not installed")
    file, log = tmp_path / "robot.yaml", tmp_path / "sim.log"
    tree = reporting(request.param)
    tree["arms"][0]["goal"]["executor"] = "cartesian_trajectory"
    file.write_text(yaml.safe_dump(tree), encoding="utf-8")
    env = {**with_actions, "ROS_DOMAIN_ID": str(ros_domain)}
    root = str(Path(__file__).resolve().parents[2])  # before an installed copy of the package
    env["PYTHONPATH"] = os.pathsep.join([root, env.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "evla_ros.ros.simulator.main", "--ros-args"]
    command += ["-p", f"embodiment:={file}", "-p", "image_size:=64"]
    with log.open("w") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=out)
    yield request.param, file, env, log
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0, log.read_text()


def said_by_a_policy_node(file, env, folder) -> str:
    """Return what a policy node logs until it has said so of its gripper."""
    log = folder / "policy.log"
    command = [sys.executable, "-m", "evla_ros.ros.policy.main", "--ros-args"]
    given = [f"embodiment:={file}", "policy:=circle", "worker:=thread", "autostart:=true"]
    command += [word for one in given for word in ("-p", one)]
    with log.open("w") as out:
        process = subprocess.Popen(command, env=env, stdout=out, stderr=out)
    end = time.monotonic() + 60.0
    while "counts as open" not in log.read_text() and time.monotonic() < end:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0, log.read_text()
    return log.read_text()


def test_a_simulated_gripper_reports_and_ends_its_goals(simulated, tmp_path):
    form, file, env, log = simulated
    process = str(PROCESS.with_name("gripper_reports.py"))

    def run(*words: str, allowed=(0,)) -> str:
        done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
        assert done.returncode in allowed, (
            done.stdout[-3000:] + done.stderr[-3000:] + log.read_text()[-2000:]
        )
        return done.stdout

    heard = json.loads(run(sys.executable, process, str(file)).splitlines()[-1])
    assert heard["problems"] == []
    assert heard["results"] == pytest.approx([0.0, 1.0], abs=0.03)
    assert len(heard["feedback"]) >= 4
    assert min(heard["feedback"]) < 0.5 < max(heard["feedback"])
    evla = (sys.executable, "-m", "evla_ros", "robot")
    table = run(*evla, "check", str(file), "--live", allowed=(0, 1))  # rates are red under load
    rows = [line.split() for line in table.splitlines() if "/grip:" in line]
    assert rows == [["ok", "gripper_command", "arm", "/grip:", "served"]]
    assert said_by_a_policy_node(file, env, tmp_path).count("arm: counts as open until") == 1
    found = tmp_path / "found.yaml"
    run(*evla, "init", str(found), "--yes")
    arm = load_embodiment(str(found)).arms[0]
    assert arm.goal.executor == "cartesian_trajectory"
    gripper = arm.gripper
    assert gripper.command == "grip"
    assert gripper.command_type == form


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"command_type": "float64"}, "'state' is missing: a command_type float64 reports nothing"),
        ({"state": "grip/state", "state_type": "action"}, "'state' 'grip/state' has no effect"),
        ({"state_type": "joint_state"}, "'state' is missing: the topic of the JointState"),
    ],
)
def test_a_gripper_has_one_state(change, fault):
    tree = reporting("gripper_action")
    tree["arms"][0]["gripper"].update(change)
    if change.get("command_type") == "float64":
        tree["arms"][0]["gripper"].pop("max_effort")
    with pytest.raises(EvlaError, match=fault):
        parse_embodiment(yaml.safe_dump(tree), source="x")


@pytest.mark.parametrize("form", FORMS)
def test_what_an_action_reports_is_a_row_that_is_not_waited_for(form):
    body = parse_embodiment(yaml.safe_dump(reporting(form)), source="x")
    row = streams_of(body).get(Kind.GRIPPER, "arm")
    assert row.topic == "grip/_action/feedback"
    assert row.type.endswith("Command_FeedbackMessage")
    assert not row.required
    assert definition_of(row.type).text.startswith("unique_identifier_msgs/UUID goal_id")
    assert gripper_value(row, gripper_to_cdr(row, 0, 0.03))[1] == 0.03
    with pytest.raises(BadSampleError):
        gripper_value(row, gripper_to_cdr(row, 0, 0.03)[:18])
    explicit = reporting(form)
    explicit["arms"][0]["gripper"]["state_type"] = "action"
    assert streams_of(parse_embodiment(yaml.safe_dump(explicit), source="x")).get(
        Kind.GRIPPER, "arm"
    ) == row  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_bag_of_reports_has_the_openings_and_says_where_it_had_none(form, tmp_path):
    body = parse_embodiment(yaml.safe_dump(reporting(form)), source="x")
    robot = SyntheticRobot(body, seconds=3.0, camera_hz=15.0)
    row = streams_of(body).get(Kind.GRIPPER, "arm")

    def while_working(event):
        """Reports come from the first goal, at 1 s, on."""
        late = event.stamp_ns - robot.start_ns >= 1_000_000_000
        return event if late or event.topic.strip("/") != row.topic else None

    options = ConvertOptions(body.text, image_size=(32, 32), idle="keep")
    result = read_bag(write_robot_bag(tmp_path / "bag", robot, while_working), options)
    assert 5 <= result.columns.unreported["arm"] <= 12
    (episode,) = result.episodes
    openings = episode.observations["state"][:, -1]
    assert openings[:8] == pytest.approx(1.0)
    assert openings.min() == pytest.approx(0.0)
    silent = write_robot_bag(
        tmp_path / "silent", robot,
        lambda event: None if event.topic.strip("/") == row.topic else event,
    )  # fmt: skip
    with pytest.raises(EvlaError, match="grip/_action/feedback"):
        read_bag(silent, options)
