# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from eval_report import outcome, read_report

from evla_ros.cli.main import main

pytest.importorskip("mujoco", reason="the simulator is not installed: `make build`")

QUICK = ["eval", "sim", "--tasks", "reach", "lift", "--episodes", "2", "--max-seconds", "3"]


def test_the_expert_beats_the_baselines_and_workers_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    assert main([*QUICK, "--policy", "expert", "--out", str(alone)]) == 0
    table = capsys.readouterr().out
    assert all(word in table for word in ("expert", "random", "hold", "2/2 100 %", "34-100 %"))
    assert (alone / "success.png").stat().st_size > 5000
    assert main([*QUICK, "--policy", "expert", "--out", str(together), "--workers", "2"]) == 0
    one, two = (read_report(f / "report.json")[1] for f in (alone, together))
    assert [outcome(r) for r in one] == [outcome(r) for r in two]


def test_failures_are_filmed_and_json_is_clean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [
        "eval",
        "sim",
        "--policy",
        "hold",
        "--baselines",
        "none",
        "--tasks",
        "lift the red block",
    ]
    more = [
        "--episodes",
        "1",
        "--max-seconds",
        "0.5",
        "--videos",
        "--json",
    ]
    assert main([*words, *more, "--out", str(tmp_path / "run")]) == 0
    report = json.loads(capsys.readouterr().out)
    (episode,) = report["episodes"]
    assert episode["verdict"] == "failure"
    assert Path(episode["video"]).stat().st_size > 1000


def test_a_policy_that_cannot_act_is_refused_a_score(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr("evla_ros.control.controller.Controller.accept", nothing)
    words = ["eval", "sim", "--policy", "expert", "--baselines", "none", "--tasks", "lift"]
    more = ["--episodes", "2", "--max-seconds", "0.5", "--out", str(tmp_path / "run")]
    assert main([*words, *more]) == 1
    out, err = capsys.readouterr()
    assert "refused" in out
    assert "no score for lift" in err


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["eval", "smi"], "did you mean 'sim'"),
        (["eval", "sim", "--policy", "expret"], "did you mean 'expert'"),
        (["eval", "sim", "--policy", "hold", "--world", "tabletop"], "tabletop_arm"),
        (["eval", "sim", "--policy", "hold", "--baselines", "exprt"], "did you mean 'expert'"),
        (["eval", "sim", "--policy", "hold", "--tasks", "lfit"], "did you mean 'lift'"),
        (["eval", "sim", "--policy", "hold", "--out", "."], "name another folder"),
    ],
)
def test_mistakes_are_one_sentence(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: ")
    assert hint in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(("workers", "number"), [("1", signal.SIGINT), ("2", signal.SIGTERM)])
def test_ctrl_c_leaves_a_report_of_what_was_played(
    tmp_path: Path, workers: str, number: signal.Signals
) -> None:
    out = tmp_path / "run"
    words = ["eval", "sim", "--policy", "hold", "--baselines", "none", "--tasks", "lift"]
    more = ["--episodes", "5000", "--max-seconds", "0.4", "--workers", workers, "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-m", "evla_ros", *words, *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    assert process.stderr is not None
    process.stderr.readline()  # the first line of progress
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in err
    question, records = read_report(out / "report.json")
    assert question["interrupted"]
    assert 0 < len(records) < 5000


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--workers", "0", "at least 1"),
        ("--threads", "-2", "at least 0"),
        ("--add-latency", "-1", "0 to 10 seconds"),
        ("--add-latency", "nan", "0 to 10 seconds"),
    ],
)
def test_impossible_numbers_are_one_sentence(capsys, tmp_path, option, value, says):
    out = tmp_path / "report"
    assert main([*QUICK, "--policy", "expert", "--out", str(out), option, value]) == 2
    assert f"error: {option} {value}: {says}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--policy", "remote"], "needs --server"),
        (["--policy", "hold", "--server", "ws://x:1"], "--server has no effect"),
        (["--policy", "hold", "--token-file", "x"], "--token-file has no effect"),
        (["--policy", "remote", "--server", "x:1"], "ws://HOST:PORT"),
    ],
)
def test_a_server_is_named_for_a_remote_policy_alone(words, sentence, capsys, tmp_path):
    out = ["--episodes", "1", "--tasks", "reach", "--out", str(tmp_path / "out")]
    assert main(["eval", "sim", *words, *out]) == 2
    assert sentence in capsys.readouterr().err
