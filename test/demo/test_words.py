# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The end of a demonstration can be read by somebody who was not there."""

from __future__ import annotations

import shlex

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from evla_ros.cli.main import COMMANDS
from evla_ros.demo.episode import Outcome
from evla_ros.demo.words import meaning, next_commands, table

NAN = float("nan")
SOLVED = Outcome("lift the red block", True, 3.25, 49.9, 4.2, 21.4, 7, "")
LATE = Outcome("open the drawer", False, 20.0, 18.0, 90.0, 500.0, 300, "")
MUTE = Outcome("reach the bowl", False, 20.0, NAN, NAN, 0.0, 0, "no picture comes")


def test_a_row_says_what_was_told_and_how_it_ended():
    lines = table([SOLVED, MUTE]).splitlines()
    assert lines[1].split() == [
        "lift",
        "the",
        "red",
        "block",
        "yes",
        "3.2",
        "s",
        "50",
        "Hz",
        "21",
        "ms",
    ]
    assert "NO" in lines[2]
    assert lines[2].endswith("no picture comes")
    assert " - Hz" in lines[2]
    assert lines[3] == "1 of 2 solved"


def test_a_machine_that_was_too_busy_is_named_and_a_quick_one_is_not():
    assert "too busy for real time (18 goals a second of 50)" in meaning([SOLVED, LATE], 50.0)
    assert "too busy" not in meaning([SOLVED, MUTE], 50.0)
    assert "less than 4 ms off" in meaning([SOLVED], 50.0)
    assert "off their beat" not in meaning([MUTE], 50.0)


@pytest.mark.parametrize("console", [True, False])
def test_three_commands_follow_and_there_are_such(console):
    head, *rows = next_commands("tabletop_arm", console=console).splitlines()
    assert head == "next:"
    words = [shlex.split(row, comments=True) for row in rows]
    assert [line[0] for line in words] == ["evla"] * 3
    assert {line[1] for line in words} == {"demo", "record", "robot"} <= set(COMMANDS.available())
    assert ("--console" in words[0]) != console
