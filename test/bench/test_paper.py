# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla bench paper`: stable rows, one table, and blocks that are counted rightly."""

from __future__ import annotations

import json

import pytest

from evla_ros.bench import paper_network
from evla_ros.bench.paper import Options, rows, table
from evla_ros.bench.report import Row
from evla_ros.cli.main import main

SHORT = ["--repeat=1", "--seconds=0.01", "--threads=1"]
NAMES = [
    "paper.evla_nano.joint.latency",
    "paper.evla_nano.autoregressive.latency",
    "paper.evla_nano.memory",
    "paper.evla_nano.joint_speedup",
]


@pytest.mark.parametrize(("how", "said"), [("never", "measured"), ("always", "estimated from 1")])
def test_rows_are_stable_and_say_how_they_were_found(capsys, how, said):
    words = ["bench", "paper", "--models", "evla-nano", "--dtype=fp32", f"--estimate={how}"]
    assert main([*words, *SHORT, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["rows"]
    assert [row["name"] for row in found] == NAMES
    assert all(row["value"] > 0 for row in found)
    text = table([Row(**row) for row in found])
    assert text.splitlines()[1].startswith("evla-nano    joint")
    assert f"  {said}" in text
    assert "paper.evla_nano.joint_speedup" in text


def test_the_papers_numbers_stand_beside_its_networks(monkeypatch):
    def timed(options, preset):
        context = {"preset": preset, "how": "made up", "dtype": "bf16", "device": "cpu"}
        context |= {"threads": 2, "clock": "wall", "mode": "eager"}
        times = {"joint": 5.0, "autoregressive": 40.0}
        return paper_network.Timed(times, 3.0, "made up", context)

    monkeypatch.setattr(paper_network, "time_network", timed)
    found = list(rows(Options()))
    values = {row.name: row for row in found}
    assert values["paper.evla_1b.joint.latency"].context["paper"] == 5.0
    assert "paper" not in values["paper.evla_1b.autoregressive.latency"].context
    assert values["paper.openvla_7b.autoregressive.latency"].context["paper"] == 20.0
    assert values["paper.openvla_7b.memory"].context["paper"] == 16.0
    assert values["paper.speedup"].value == pytest.approx(8.0)
    lines = table(found).splitlines()
    assert lines[1].split()[:5] == ["evla-1b", "joint", "5.0", "ms", "5"]
    assert all("paper" not in row.context for row in rows(Options(actions="8x7")))


def test_an_estimate_multiplies_blocks():
    assert paper_network._grown({1: 5.0, 3: 9.0}, 24) == pytest.approx(5.0 + 23 * 2.0)
    assert paper_network._grown({1: 5.0, 3: 4.0}, 24) == 5.0  # noise is no negative block


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--models", "evla-2b"], "unknown model preset 'evla-2b'"),
        (["--actions", "many"], "action shape 'many' is not CHUNKxDIM"),
        (["--device", "cuda"], "no CUDA device"),
    ],
)
def test_a_wrong_question_is_named(capsys, words, message):
    assert main(["bench", "paper", *words]) == 2
    assert message in capsys.readouterr().err
