# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A job is a file: its argument comes back as it was, whatever is in it, and so does its answer."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest
import yaml
from toy_jobs import Sleep, Touch, kill_itself, sleep, touch, toy

from evla_ros.data.convert.conversion import Conversion
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.errors import EvlaError
from evla_ros.recipes import work
from evla_ros.recipes.datasets import change
from evla_ros.recipes.jobs import Job, _write, answer_of, read_job, run_jobs
from evla_ros.recipes.simulated_data.settings import Collection, CollectJob, CollectSettings
from evla_ros.recipes.vision_config import VisionConfig
from evla_ros.sim.evaluation.settings import Evaluation
from evla_ros.sim.recording import Recording
from evla_ros.training import ranks
from evla_ros.training.config import TrainConfig
from evla_ros.training.config_file import load_config
from evla_ros.training.evaluation.offline_settings import OfflineEvaluation

AWKWARD = Path("""it's: "here" {a, b} #1 é, 🤖""")
TRAINING = TrainConfig(output=str(AWKWARD), datasets=({"path": str(AWKWARD), "weight": 1e-5},))
ARGUMENTS = {
    work.record: Recording(AWKWARD, "tabletop_arm", 3, task="lift the red block"),
    work.convert: Conversion(
        (AWKWARD, Path("b")), AWKWARD, "x", episodes=ConvertOptions(image_size=(64, 32))
    ),
    work.collect: Collection(
        AWKWARD, CollectJob(settings=CollectSettings(noise=1e-7), families=("lift", "lift")), 2
    ),
    work.pretrain_encoders: VisionConfig(AWKWARD, (AWKWARD,), start=str(AWKWARD)),
    work.train: work.Training(TRAINING, resume=True),
    work.score: work.NetworkScoring(
        OfflineEvaluation(AWKWARD, AWKWARD, output="l1"),
        Evaluation(str(AWKWARD), baselines=("none",), out=AWKWARD),
    ),
}


@pytest.mark.parametrize("function", ARGUMENTS, ids=lambda function: function.__name__)
def test_the_argument_of_every_work_comes_back_from_its_file(tmp_path, monkeypatch, function):
    monkeypatch.setattr("evla_ros.recipes.jobs._start", lambda job, file: started.append(file))
    monkeypatch.setattr("evla_ros.recipes.jobs._exit_code", lambda process, poll, cpu_s: 0)
    started = []
    run_jobs([Job(function, ARGUMENTS[function])], tmp_path / "jobs", "one")
    assert started == [tmp_path / "jobs" / "one.json"]
    assert read_job(started[0]) == (function, ARGUMENTS[function])


def test_a_job_answers_in_a_folder_of_any_name(tmp_path):
    folder = tmp_path / AWKWARD
    assert run_jobs([toy(touch, Touch(folder / "x"))], folder, "one") == [0]
    assert answer_of(folder, "one") == {"path": str(folder / "x")}
    assert run_jobs([toy(touch, Touch(folder / "x", 3))], folder, "one") == [3]
    with pytest.raises(
        EvlaError, match="does not exist"
    ):  # of the failed one, not of the one before
        answer_of(folder, "one")


def test_a_mistake_in_a_job_is_one_sentence(tmp_path, capfd):
    nothing = work.NetworkScoring(OfflineEvaluation(tmp_path / "none", tmp_path / "nothing"))
    assert run_jobs([Job(work.score, nothing)], tmp_path, "one") == [2]
    said = capfd.readouterr().err
    assert said.startswith("error: ")
    assert said.count("\n") == 1


@pytest.mark.timeout(120)
def test_a_mistake_in_a_job_of_two_ranks_is_a_sentence_of_each(tmp_path, capfd):
    nothing = work.NetworkScoring(OfflineEvaluation(tmp_path / "none", tmp_path / "nothing"))
    assert run_jobs([Job(work.score, nothing, ranks=2)], tmp_path, "one") == [2]
    said = capfd.readouterr().err.splitlines()
    assert said
    assert all(line.startswith("error: ") for line in said)


@pytest.mark.timeout(120)
def test_a_rank_that_is_killed_is_said(tmp_path, capfd):
    """As the kernel does it when the memory does not suffice."""
    job = toy(kill_itself, Sleep(0))
    assert run_jobs([Job(job.function, job.argument, job.environment, 2)], tmp_path, "one") == [137]
    said = capfd.readouterr().err
    assert "ended by SIGKILL; the memory may not have sufficed" in said
    assert "Traceback" not in said


@pytest.mark.timeout(120)
def test_two_ranks_that_are_interrupted_end_without_tracebacks(tmp_path):
    job = toy(sleep, Sleep(60))
    file = tmp_path / "jobs" / "one.json"
    _write(job, tmp_path / "jobs", "one")
    argv = ranks.command(2, "evla_ros.recipes.jobs", [str(file)])
    process = subprocess.Popen(
        argv, env={**os.environ, **job.environment}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    lines = [process.stdout.readline() for _ in range(2)]
    assert all(line.strip().isdigit() for line in lines)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in said


@pytest.mark.parametrize(
    "value", [str(AWKWARD), "", "yes", "1e-5", 1e-5, 7, True, [{"path": str(AWKWARD)}], "a" * 500]
)
def test_a_change_reads_back_as_it_was(value):
    key, _, text = change("key.sub", value).partition("=")
    assert key == "key.sub"
    assert yaml.safe_load(text) == value


def test_a_training_takes_changed_paths_with_quotes(tmp_path):
    file = tmp_path / "config.yaml"
    file.write_text("output: x\ndatasets: [{path: x}]\n")
    config = load_config(file, [change("datasets", [{"path": str(AWKWARD)}])])
    assert config.datasets[0].path == str(AWKWARD)
