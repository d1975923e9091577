# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A command ends with the one that comes next, and that one can be typed as it stands."""

from __future__ import annotations

import json
import shlex

import pytest
from synthetic_bag import SyntheticRobot, write_robot_bag

from evla_ros.cli.main import COMMANDS, main
from evla_ros.cli.next_command import say_next
from evla_ros.embodiment import load_embodiment

ARM = load_embodiment("tabletop_arm")


def next_of(capsys):
    """Return the words of the command that the last line names; it is one that there is."""
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("next: evla ")
    words = shlex.split(last.removeprefix("next: "))
    assert words[1] in COMMANDS.available()
    return words[1:]


def test_a_path_with_a_space_is_quoted(capsys):
    say_next("evla", "inspect", "my bag")
    assert next_of(capsys) == ["inspect", "my bag"]


def test_from_a_bag_to_training_each_command_names_the_next(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_robot_bag(tmp_path / "recordings" / "a bag", SyntheticRobot(ARM))
    assert main(["inspect", "recordings/a bag", "--embodiment", "tabletop_arm"]) == 0
    words = next_of(capsys)
    assert words[:2] == ["convert", "recordings/a bag"]
    assert main([*words, "--jobs", "1"]) == 0
    words = next_of(capsys)
    assert words[:2] == ["dataset", "doctor"]
    folder = words[2]
    main(words)
    out = capsys.readouterr().out
    assert out.splitlines()[-1].startswith("next: ")
    assert main(["inspect", folder]) == 0
    assert next_of(capsys) == ["dataset", "doctor", folder]


def test_json_stays_json(tmp_path, capsys):
    write_robot_bag(tmp_path / "bag", SyntheticRobot(ARM))
    assert main(["inspect", str(tmp_path / "bag"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)


def test_a_recording_in_simulation_is_to_be_converted(tmp_path, capsys):
    pytest.importorskip("mujoco", reason="the simulator is not installed")
    out = str(tmp_path / "recordings")
    words = ["--world", "tabletop_arm", "--episodes", "1", "--image-size", "32", "--jobs", "1"]
    assert main(["record", "--out", out, *words]) == 0
    assert next_of(capsys) == ["convert", out, "--out", "datasets"]
