# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stages are skipped when done, go on after a failure, and say in one sentence how."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from toy_jobs import Meeting, Touch, meet, touch, toy

from evla_ros.cli.main import main
from evla_ros.recipes.stages import Stage, StageTimes, run_stages
from evla_ros.training.errors import TrainingError


def test_done_stages_are_skipped_and_times_add_up(tmp_path, capsys):
    first, second = tmp_path / "first", tmp_path / "second"
    first.touch()
    stages = [
        Stage("one", lambda: pytest.fail("it is done"), first.exists),
        Stage("two", lambda: [toy(touch, Touch(second))], second.exists),
    ]
    times = StageTimes(tmp_path)
    run_stages(stages, times, "again")
    assert "one: there already" in capsys.readouterr().err
    before = times.seconds["two"]
    second.unlink()
    later = StageTimes(tmp_path)
    run_stages(stages, later, "again")
    assert later.seconds["two"] > before
    assert json.loads((tmp_path / "stages.json").read_text()) == later.seconds
    table = later.table(["one", "two"]).splitlines()
    assert [line.split()[0] for line in table] == ["stage", "two", "all"]


@pytest.mark.parametrize(("code", "why"), [(3, "exit code 3"), (0, "its result is not there")])
def test_a_failed_stage_says_how_to_go_on(tmp_path, code, why):
    stage = Stage("learn", lambda: [toy(touch, Touch(tmp_path / "x", code))], lambda: False)
    with pytest.raises(TrainingError, match=f"'learn' failed .{why}.*`evla again` goes on"):
        run_stages([stage], StageTimes(tmp_path), "evla again")


def test_jobs_of_a_stage_run_at_once_each_in_its_environment(tmp_path):
    a, b = tmp_path / "a", tmp_path / "b"
    jobs = [toy(meet, Meeting(a, b), WHO="A"), toy(meet, Meeting(b, a), WHO="B")]
    run_stages(
        [Stage("both", lambda: jobs, lambda: a.exists() and b.exists())], StageTimes(tmp_path), ""
    )
    assert (a.read_text(), b.read_text()) == ("A", "B")


RECIPE = r"""
import sys
from pathlib import Path
from toy_jobs import Sleep, sleep, toy
from evla_ros.recipes import jobs, stages
jobs.POLL_S = 0.2
stage = stages.Stage("learn", lambda: [toy(sleep, Sleep(600.0))] * 2, lambda: False)
try:
    stages.run_stages([stage], stages.StageTimes(Path(sys.argv[1])), "again")
except KeyboardInterrupt:
    sys.exit(1)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_recipe_ends_its_stage_and_keeps_its_time(tmp_path, still_run, how):
    words = [sys.executable, "-c", RECIPE, str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as recipe:
        jobs = [int(recipe.stdout.readline()) for _ in range(2)]
        time.sleep(0.7)
        recipe.send_signal(how)
        assert recipe.wait(30) == (1 if how == signal.SIGTERM else -how)
        assert not still_run(jobs)
    assert json.loads((tmp_path / "stages.json").read_text())["learn"] >= 0.4


AWKWARD = """it's: "nano" {a, b} #1 é"""  # what breaks text that is glued together


@pytest.mark.timeout(900)
def test_recipe_at_toy_size_through_bags(tmp_path, capfd, monkeypatch):
    """Without ROS: the bags are recorded in lock-step; everything else is the real recipe."""
    pytest.importorskip("mujoco", reason="the recipe needs MuJoCo")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    folder = tmp_path / AWKWARD
    sizes = "--record 3 --episodes 4 --vision-steps 2 --steps 2 --processes 1"
    sizes += " --rounds 1 --round-episodes 2 --round-steps 2"
    words = ["train", "nano", str(folder), *shlex.split(sizes), "--record-via", "lockstep"]
    assert main(words) == 0
    said = capfd.readouterr()
    assert said.out.strip().splitlines()[-1] in (
        str(folder / "round_1/best"),
        str(folder / "round_1/last"),
    )
    stages = ["record", "convert", "collect", "vision", "finetune", "visit", "refine"]
    assert [line.split()[0] for line in said.err.splitlines()[-9:]] == [*stages, "all", "next:"]
    settings = json.loads((folder / "round_1" / "train.json").read_text())
    assert settings["model"]["start"].startswith(str(folder / "run"))
    assert [d["path"].split("/")[-1] for d in settings["datasets"]] == [
        "tabletop_arm_collected",
        "tabletop_arm_recorded",
        "tabletop_arm_round_1",
    ]
    statistics = json.loads((folder / "run" / "last" / "dataset_statistics.json").read_text())
    assert list(statistics) == ["tabletop_arm"]
    assert main(words) == 0
    assert capfd.readouterr().err.count("there already") == 7


@pytest.mark.timeout(900)
def test_the_recipe_serves_other_robots(tmp_path, capfd, monkeypatch):
    """A base and a lift give 11 numbers instead of 7; the cameras are the robot's own."""
    pytest.importorskip("mujoco", reason="the recipe needs MuJoCo")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    sizes = "--world mobile_manipulator --record 0 --episodes 2 --vision-steps 2 --steps 2"
    sizes += " --rounds 0 --processes 1"
    assert main(["train", "nano", str(tmp_path / "mobile"), *shlex.split(sizes)]) == 0
    checkpoint = Path(capfd.readouterr().out.splitlines()[-1])
    config = json.loads((checkpoint / "config.json").read_text())
    assert config["action"]["dim"] == 11
    assert config["image"]["cameras"] == ["primary", "wrist"]
    robot = yaml.safe_load((checkpoint / "embodiment.yaml").read_text())
    assert robot["name"] == "mobile_manipulator"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--world", "tabletop"], "tabletop"),
        (["--episodes", "0"], "--episodes 0: at least 1"),
        (["--rounds", "-1"], "--rounds -1: at least 0"),
        (["--processes", "0"], "--processes 0: at least 1"),
        (["--domain", "999"], "--domain 999"),
    ],
)
def test_wrong_sizes_are_named(tmp_path, capsys, words, message):
    assert main(["train", "nano", str(tmp_path / "x"), *words]) == 2
    assert message in capsys.readouterr().err
