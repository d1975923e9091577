# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Benchmark rows as a table for people and as one object for machines."""

from __future__ import annotations

import json
import sys
import types
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from typing import Annotated

import pytest

from evla_ros.bench.report import Printed, Row, to_json, to_table
from evla_ros.cli import bench
from evla_ros.cli.main import main
from evla_ros.machine import machine
from evla_ros.options import Option

ROWS = [
    Row("model.step.joint", 0.4321, "s", floor=0.31, goal=0.45, context={"preset": "evla-1b"}),
    Row("data.convert.frames_per_s", 1234.56, "1/s"),
]


def test_json_has_machine_and_rows_with_every_key():
    answer = json.loads(to_json(ROWS))
    assert set(answer) == {"machine", "rows"}
    assert set(answer["rows"][0]) == {"name", "value", "unit", "floor", "goal", "context"}
    assert answer["rows"][0]["value"] == 0.4321
    assert answer["rows"][1]["floor"] is None
    assert answer["machine"]["cores"] >= 1


def test_table_is_aligned_and_shows_floor_goal_and_context():
    lines = to_table(ROWS).splitlines()
    assert len(lines) == 3
    assert "0.4321" in lines[1]
    assert "0.31" in lines[1]
    assert "0.45" in lines[1]
    assert lines[1].endswith("preset=evla-1b")
    assert lines[2].split() == ["data.convert.frames_per_s", "1235", "1/s", "-", "-"]
    assert lines[1].index(" s ") + 1 == lines[2].index("1/s")


def test_machine_names_processor_and_python():
    facts = machine()
    assert facts["processor"]
    assert facts["python"].startswith(f"{sys.version_info[0]}.")


@dataclass(frozen=True, kw_only=True)
class Steps(Printed):
    steps: Annotated[int, Option("to take", least=1)] = 1


def test_bench_runs_a_subject_with_its_own_options(monkeypatch, capsys):
    subject = types.ModuleType("evla_ros.bench.fake")
    subject.Options = Steps
    subject.rows = lambda options: [Row("fake.steps", options.steps, "1")]
    monkeypatch.setitem(sys.modules, "evla_ros.bench.fake", subject)
    subject.__spec__ = ModuleSpec(subject.__name__, None)
    monkeypatch.setitem(bench.COMMANDS.summaries, "fake", "for this test")
    assert main(["bench", "fake", "--json", "--steps", "7"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["rows"][0]["value"] == 7
    assert said.err == "fake.steps 7 1\n"


@pytest.mark.parametrize("subject", ["data", "sim", "train"])
def test_what_measures_the_project_says_where_it_is(capsys, subject):
    assert main(["bench", subject]) == 2
    assert f"run `python -m benchmarks {subject}`" in capsys.readouterr().err
