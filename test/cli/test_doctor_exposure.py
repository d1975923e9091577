# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The doctor says who can reach the robot, as ROS 2 itself reads the environment."""

from __future__ import annotations

import pytest

from evla_ros.doctor.exposure import check, discovery

RANGE = "ROS_AUTOMATIC_DISCOVERY_RANGE"


def looked_at(**environment):
    return {finding.name: finding for finding in check({"ROS_DISTRO": "jazzy", **environment})}


def test_local_discovery_is_fine_and_says_what_stays_invisible():
    found = looked_at(**{RANGE: "LOCALHOST", "ROS_DOMAIN_ID": "7"})["discovery"]
    assert found.status == "ok"
    assert "domain 7, LOCALHOST" in found.seen
    assert (
        "robots on other machines are invisible (ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET" in found.seen
    )


def test_humble_has_a_variable_of_its_own_and_no_other():
    local = looked_at(ROS_DISTRO="humble", ROS_LOCALHOST_ONLY="1")["discovery"]
    assert local.status == "ok"
    assert "invisible (ROS_LOCALHOST_ONLY=0 shows them)" in local.seen
    open_graph = looked_at(ROS_DISTRO="humble")["discovery"]
    assert open_graph.status == "note"
    assert "SUBNET, no SROS2" in open_graph.seen
    assert "ROS_LOCALHOST_ONLY=1 where every node runs here" in open_graph.fix
    misled = looked_at(ROS_DISTRO="humble", **{RANGE: "LOCALHOST"})["discovery"]
    assert misled.status == "note"
    assert f"SUBNET: {RANGE}=LOCALHOST means nothing to humble" in misled.seen


@pytest.mark.parametrize("value", ["", "SUBNET", "SYSTEM_DEFAULT"])
def test_an_open_graph_without_security_is_noted_and_with_it_is_fine(value, tmp_path):
    found = looked_at(**{RANGE: value})["discovery"]
    assert found.status == "note"
    assert "whoever is on this network can command the robot" in found.seen
    assert f"{RANGE}=LOCALHOST" in found.fix
    (tmp_path / "enclaves").mkdir()
    keys = {"ROS_SECURITY_ENABLE": "true", "ROS_SECURITY_KEYSTORE": str(tmp_path)}
    assert looked_at(**{RANGE: value}, **keys)["discovery"].status == "note"
    keys["ROS_SECURITY_STRATEGY"] = "Enforce"
    assert looked_at(**{RANGE: value}, **keys)["discovery"].status == "ok"


def test_static_peers_open_a_local_graph():
    found = looked_at(**{RANGE: "LOCALHOST", "ROS_STATIC_PEERS": "192.168.1.7"})["discovery"]
    assert found.status == "note"
    assert "LOCALHOST and the peers 192.168.1.7, no SROS2: whoever is at the peers" in found.seen


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({RANGE: "localhost"}, "LOCALHOST: ROS_AUTOMATIC_DISCOVERY_RANGE=localhost is none of"),
        ({RANGE: "SUBNET", "ROS_LOCALHOST_ONLY": "1"}, "ROS_LOCALHOST_ONLY=1 overrides"),
        ({RANGE: "OFF"}, "OFF: no node looks for another"),
    ],
)
def test_settings_that_do_not_mean_what_they_say_are_named(environment, words):
    found = looked_at(**environment)["discovery"]
    assert found.status == "note"
    assert words in found.seen
    assert found.fix


def test_local_is_asked_of_the_environment_as_ros_does():
    assert discovery({RANGE: "LOCALHOST"}).local
    assert not discovery({RANGE: "LOCALHOST", "ROS_STATIC_PEERS": "a"}).local
    assert not discovery({}).local


@pytest.mark.parametrize(
    ("environment", "status", "words"),
    [
        ({}, "ok", "off: every node of the domain is believed"),
        ({"ROS_SECURITY_ENABLE": "True"}, "red", "ROS_SECURITY_ENABLE=True is not 'true'"),
        ({"ROS_SECURITY_ENABLE": "true"}, "red", "ROS_SECURITY_KEYSTORE='' holds no enclaves"),
    ],
)
def test_security_that_is_not_on_is_never_called_on(environment, status, words):
    found = looked_at(**environment)["SROS2"]
    assert found.status == status
    assert words in found.seen
    assert found.status == "ok" or found.fix


@pytest.mark.parametrize(
    ("strategy", "status"), [("Enforce", "ok"), ("enforce", "note"), ("", "note")]
)
def test_a_strategy_that_lets_nodes_without_keys_in_is_noted(strategy, status, tmp_path):
    (tmp_path / "enclaves").mkdir()
    keys = {"ROS_SECURITY_ENABLE": "true", "ROS_SECURITY_KEYSTORE": str(tmp_path)}
    assert looked_at(**keys, ROS_SECURITY_STRATEGY=strategy)["SROS2"].status == status
