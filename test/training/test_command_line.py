# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Datasets and settings without a YAML file; the template says what the defaults are."""

from __future__ import annotations

import re

import pytest
import yaml

from evla_ros.cli.main import main
from evla_ros.shared_files import training_config
from evla_ros.training.command_line import Request, read_arguments, requested_config
from evla_ros.training.config_file import load_config
from evla_ros.training.errors import TrainingError


def asked(*words, datasets=(), start="", resume=False):
    return requested_config(Request(words, datasets, start, resume))


def test_datasets_alone_are_enough(plain_dataset, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    config = asked(datasets=(str(plain_dataset),))
    assert config.output == "outputs/plain_set"
    assert config.datasets[0].path == str(plain_dataset)
    assert asked("output=x", "seed=3", datasets=(str(plain_dataset),)).seed == 3
    above = str(plain_dataset.parent)
    assert asked(datasets=(above,)).output == "outputs/plain_set"


def test_a_number_behind_a_dataset_is_its_weight(tmp_path):
    entries = asked(datasets=("a", "b:0.5", "s3://bucket/c", "d:e")).datasets
    assert [(e.path, e.weight) for e in entries] == [
        ("a", 1.0), ("b", 0.5), ("s3://bucket/c", 1.0), ("d:e", 1.0),
    ]  # fmt: skip
    odd = tmp_path / "with:2"
    odd.mkdir()
    assert asked(datasets=("a", str(odd))).datasets[1].weight == 1.0


def test_the_command_line_replaces_the_datasets_and_the_start_of_a_file(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text("output: o\ndatasets: [{path: p}]\nmodel: {preset: evla-nano}\nseed: 7\n")
    config = asked(str(file), "seed=8", datasets=("a", "b"), start="checkpoint")
    assert [entry.path for entry in config.datasets] == ["a", "b"]
    assert (config.model.start, config.model.preset, config.seed) == ("checkpoint", "", 8)
    assert config.output == "o"


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (Request(), "name what to learn from: --dataset DIR, or a YAML file"),
        (Request(("seed=1",)), "name what to learn from"),
        (Request(("x", "y"), ("d",)), "'x' is neither a file nor a setting"),
        (Request((), ("d:0", "e")), r"command line, '--dataset d:0': datasets\[0\].weight: 0.0"),
        (Request((), ("d:inf", "e")), r"command line, '--dataset d:inf': datasets\[0\].weight"),
        (Request((), ("d:2",)), "'--dataset d:2': datasets.0..weight: no effect with a single"),
        (Request(("optimizer.stepz=1",), ("d",)), "'optimizer.stepz=1': .*did you mean 'steps'"),
        (Request(("model.preset=evla-1b",), ("d",), "c"), "model.preset: 'evla-1b' has no effect"),
        (Request((), (), "", True), "--resume needs the folder of the run"),
        (Request(("seed=1",), (), "", True), "--resume needs the folder of the run"),
        (Request(("run",), ("d",), "", True), "--dataset: a run goes on with what it began with"),
        (Request(("run",), (), "c", True), "--start: a run goes on with what it began with"),
        (Request(("run",), (), "", True), "nothing to resume in 'run'"),
    ],
)
def test_what_does_not_fit_together_is_one_sentence(request_, message):
    with pytest.raises(TrainingError, match=message):
        requested_config(request_)


def test_torchrun_takes_the_same_arguments():
    argv = ["run", "--resume", "seed=1", "--dataset", "a", "--dataset=b:2", "--start", "c"]
    assert read_arguments(argv) == Request(("run", "seed=1"), ("a", "b:2"), "c", resume=True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "error: name what to learn from"),
        (["--dataset", "nowhere"], "error: there is no folder nowhere"),
        (["--datasets", "x"], "error: no option '--datasets', did you mean '--dataset'"),
        (["--dataset"], "--dataset: expected one argument"),
        (["nowhere.yaml"], "nowhere.yaml"),
    ],
)
def test_mistakes_on_the_command_line(capsys, tmp_path, monkeypatch, words, message):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "finetune", *words]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())


def test_every_line_of_the_template_is_a_default(tmp_path):
    template = training_config("my_robot")
    text = re.sub(r"^(\s*)# (?=[a-z_]+:)", r"\1", template.read_text(), flags=re.MULTILINE)
    everything = tmp_path / "everything.yaml"
    everything.write_text(text)
    assert len(yaml.safe_load(text)["optimizer"]) > 5
    assert load_config(everything) == load_config(template)
