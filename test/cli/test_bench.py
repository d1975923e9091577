# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Benchmark rows as a table for people and as one object for machines."""

from __future__ import annotations

import importlib
import json
import sys
import types
from importlib.machinery import ModuleSpec

import pytest

from evla_ros.bench.report import Row, machine, to_json, to_table
from evla_ros.cli import bench
from evla_ros.cli.kinds import Kind
from evla_ros.cli.main import main

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


def test_bench_runs_a_subject_with_its_own_options(monkeypatch, capsys):
    subject = types.ModuleType("evla_ros.bench.fake")
    subject.add_arguments = lambda parser: parser.add_argument("--steps", type=int, default=1)
    subject.rows = lambda arguments: [Row("fake.steps", arguments.steps, "1")]
    monkeypatch.setitem(sys.modules, "evla_ros.bench.fake", subject)
    subject.__spec__ = ModuleSpec(subject.__name__, None)
    monkeypatch.setitem(bench.KINDS.table, "fake", Kind(subject.__name__, "for this test"))
    assert main(["bench", "fake", "--json", "--steps", "7"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"][0]["value"] == 7


@pytest.mark.parametrize("subject", sorted(bench.KINDS.available()))
def test_every_subject_keeps_the_contract(subject):
    try:
        module = importlib.import_module(f"evla_ros.bench.{subject}")
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("evla_ros"):
            raise
        pytest.skip(f"{error.name} is not installed")
    assert callable(module.add_arguments)
    assert callable(module.rows)
