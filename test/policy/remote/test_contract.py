# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A server's policy is checked against the robot before anything moves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.remote.contract import Contract, contract_of

ROBOT = load_embodiment("tabletop_arm")
OURS = contract_of(ROBOT, ("primary", "wrist"), proprio=True, statistics="abc")


def test_it_comes_back_from_its_metadata():
    assert Contract.of_metadata(OURS.metadata(), "here") == OURS
    assert OURS.misfits(ROBOT) == []


def test_a_description_does_not_matter_and_a_limit_does():
    text = ROBOT.text.replace("max_step_rad: 0.2", "max_step_rad: 0.1")
    other = parse_embodiment(text, source="x")
    (line, *_) = OURS.misfits(other)
    assert line.startswith("arms[0].limits.max_step_rad: 0.1 here")
    with pytest.raises(PolicyError, match="made for another robot: arms"):
        OURS.check(other, "ws://gpu:8000")


@pytest.mark.parametrize(
    "change",
    [
        {"cameras": ("primary",)},
        {"action_names": OURS.action_names[::-1]},
        {"action_units": ("mm",) * 7},
        {"proprio_names": ()},
        {"chunk": 4},
        {"rate_hz": 5.0},
        {"statistics": "abd"},
        {"embodiment": ""},
    ],
)
def test_the_hash_changes_with_whatever_a_robot_relies_on(change):
    assert replace(OURS, **change).hash != OURS.hash


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"cameras": ("primary", "head")}, "camera 'head': none here"),
        ({"action_names": OURS.action_names[::-1]}, "action names"),
        ({"action_units": ("mm",) * 7}, "action units"),
        ({"proprio_names": ("x",) * 8}, "proprio names"),
        ({"chunk": 4}, "action.chunk: 8 here, 4 there"),
    ],
)
def test_a_policy_of_another_kind_is_named(change, line):
    assert any(found.startswith(line) for found in replace(OURS, **change).misfits(ROBOT))


def test_a_checkpoint_that_names_no_robot_is_judged_by_its_sizes():
    bare = replace(
        OURS, embodiment="", action_names=tuple("abcdefg"), proprio_names=tuple("12345678")
    )
    assert bare.misfits(ROBOT) == []
    assert replace(bare, action_names=tuple("abc")).misfits(ROBOT)


@pytest.mark.parametrize("key", ["cameras", "action_names", "chunk", "embodiment", "statistics"])
def test_a_server_of_another_kind_is_refused(key):
    metadata = OURS.metadata()
    del metadata[key]
    with pytest.raises(PolicyError, match="another kind of server"):
        Contract.of_metadata(metadata, "ws://gpu:8000")
    for wrong in ([], {}, None, "text", {"reset_pose": [0.0]}):
        with pytest.raises(PolicyError, match="another kind of server"):
            Contract.of_metadata(wrong, "ws://gpu:8000")


def test_metadata_that_contradict_themselves_are_refused():
    with pytest.raises(PolicyError, match="contract hash"):
        Contract.of_metadata(OURS.metadata() | {"chunk": 9}, "ws://gpu:8000")
