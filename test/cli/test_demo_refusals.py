# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla demo` says what it lacks before it starts anything."""

from __future__ import annotations

import sys

import pytest

from evla_ros.cli.main import main

pytest.importorskip("mujoco", reason="the simulator is not installed: `make build`")


def test_a_demo_without_built_interfaces_says_what_to_run(monkeypatch, capsys):
    for name in [name for name in sys.modules if name.startswith("evla_ros.demo")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "evla_ros.demo.show", None)
    assert main(["demo"]) == 2
    assert "run `make build` and `. ./env.sh`" in capsys.readouterr().err


def test_an_unknown_world_is_named_before_anything_else(capsys):
    assert main(["demo", "--world", "humanoid"]) == 2
    assert "valid names: tabletop_arm, humanoid_upper_body" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--server", "ws://x:1", "--rehearsed"], "--server and --rehearsed exclude each other"),
        (["--token-file", "x"], "no effect without --server"),
    ],
)
def test_a_demo_has_one_policy(words, sentence, capsys):
    pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
    assert main(["demo", *words]) == 2
    assert sentence in capsys.readouterr().err
