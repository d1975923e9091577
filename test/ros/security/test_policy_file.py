# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The SROS2 policy file: its form, its namespaces, and what robots and parameters change in it."""

from __future__ import annotations

import re
import shlex
import shutil

import pytest
from sros2_policy import granted

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from evla_ros.cli import doctor
from evla_ros.cli.parser import parse
from evla_ros.embodiment import load_embodiment
from evla_ros.embodiment.streams import Kind, streams_of
from evla_ros.errors import EvlaError
from evla_ros.ros.security.policy_file import (
    policy_xml,
    robot_access,
    write_policy,
)

BODY = load_embodiment("tabletop_arm")


@pytest.mark.parametrize("space", ["/", "/left_robot", "/hall/left_robot/"])
def test_names_are_the_robots_and_absolute_ones_stay(space):
    prefix = space.rstrip("/")
    allowed = granted(policy_xml(robot_access(BODY), space))
    policy = allowed[f"{prefix}/policy"][f"{prefix}/policy"]
    assert f"{prefix}/arm/target_pose" in policy["publish"]
    assert f"{prefix}/policy/status" in policy["publish"]
    assert "/diagnostics" in policy["publish"]
    assert f"{prefix}/policy/start" in policy["reply"]


def test_a_namespace_without_a_slash_is_refused():
    with pytest.raises(EvlaError, match="'/left_robot'"):
        policy_xml(robot_access(BODY), "left_robot")


def test_nobody_but_the_operator_may_stop_or_instruct_and_the_operator_sends_no_goal():
    allowed = granted(policy_xml(robot_access(BODY)))
    streams = streams_of(BODY)
    stop = f"/{streams.get(Kind.ESTOP).topic}"
    goals = {f"/{stream.topic}" for stream in streams.of_kind(Kind.GOAL)}
    speakers = {path for path, nodes in allowed.items() if stop in _all(nodes, "publish")}
    assert speakers == {"/operator"}
    assert not goals & _all(allowed["/operator"], "publish")
    assert "/policy/start" in _all(allowed["/operator"], "request")


def test_commands_of_a_terminal_may_run_under_the_operators_key():
    command = granted(policy_xml(robot_access(BODY), "/left_robot"))["/left_robot/operator"]
    assert "/_ros2cli_*/get_parameters" in command["/_ros2cli_*"]["reply"]
    assert "/_ros2cli_*/get_parameters" not in _all(command, "request")


def test_poses_from_tf_are_heard_where_transforms_are(tmp_path):
    text = BODY.text.replace("topic: arm/current_pose", "tf: [base_link, tool0]")
    file = tmp_path / "tf_arm.yaml"
    file.write_text(text, encoding="utf-8")
    nodes = robot_access(load_embodiment(str(file)))
    for node in ("policy", "teleop", "recorder"):
        assert {"/tf", "/tf_static"} <= nodes[node].subscribes, node
        assert "arm/current_pose" not in nodes[node].subscribes


def test_a_later_parameter_file_wins_and_other_nodes_parameters_do_not_count(tmp_path):
    one, two = tmp_path / "one.yaml", tmp_path / "two.yaml"
    one.write_text("/**: {recorder: {ros__parameters: {extra_topics: 'a, b'}}}", encoding="utf-8")
    two.write_text(
        "/left/recorder: {ros__parameters: {extra_topics: c}}\n"
        "teleop: {ros__parameters: {extra_topics: d, keyboard: false}}\n",
        encoding="utf-8",
    )
    assert {"a", "b"} <= robot_access(BODY, [one])["recorder"].subscribes
    nodes = robot_access(BODY, [one, two])
    assert "c" in nodes["recorder"].subscribes
    assert not {"a", "b", "d"} & nodes["recorder"].subscribes
    assert nodes["teleop"].requests == frozenset()


def test_a_recorder_of_everything_hears_everything(tmp_path):
    file = tmp_path / "all.yaml"
    file.write_text("recorder: {ros__parameters: {all_topics: true}}", encoding="utf-8")
    assert robot_access(BODY, [file])["recorder"].subscribes >= {"/*"}


@pytest.mark.parametrize("text", ["a: [", "\xff"])
def test_a_parameter_file_that_is_no_yaml_is_named(tmp_path, text):
    file = tmp_path / "broken.yaml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(EvlaError, match=r"broken\.yaml"):
        robot_access(BODY, [file])


def test_a_policy_file_is_never_overwritten(tmp_path):
    target = tmp_path / "evla.policy.xml"
    assert write_policy(target, BODY)[-1] == "operator"
    before = target.read_text(encoding="utf-8")
    with pytest.raises(EvlaError, match="exists already"):
        write_policy(target, BODY)
    assert target.read_text(encoding="utf-8") == before


def test_the_commands_of_the_page_write_policies(root, tmp_path, monkeypatch):
    page = (root / "docs" / "network.md").read_text(encoding="utf-8")
    lines = re.findall(r"^ +evla doctor (.*--sros2-policy.*)$", page, re.MULTILINE)
    assert len(lines) == 2
    config = root / "config"
    shutil.copy(config / "embodiments" / "tabletop_arm.yaml", tmp_path / "my_robot.yaml")
    for node in ("policy", "teleop"):
        shutil.copy(config / "params" / f"{node}.yaml", tmp_path / f"my_{node}.yaml")
    monkeypatch.chdir(tmp_path)
    for line in lines:
        options = parse(doctor.Options, shlex.split(line), "evla doctor", "", "")
        body = load_embodiment(options.embodiment)
        assert doctor._write_policy(options, body).status == "ok"
        path = f"{options.namespace.rstrip('/')}/policy"
        assert path in granted(options.sros2_policy.read_text(encoding="utf-8"))


def _all(nodes, rule):
    return set().union(*(rules[rule] for rules in nodes.values()))
