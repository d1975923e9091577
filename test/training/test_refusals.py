# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything wrong with data or configuration is named before the first step."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.errors import EvlaError
from evla_ros.training.config_file import load_config, parse_config
from evla_ros.training.errors import TrainingError
from evla_ros.training.parts import build
from evla_ros.training.samples.source import Source


def test_nan_action_names_dataset_episode_and_step(plain_dataset, monkeypatch):
    real = RldsDataset.episode

    def spoiled(self, split, index):
        episode = real(self, split, index)
        action = np.array(episode.action)
        if index == 2:
            action[5, 3] = np.nan
        return replace(episode, action=action)

    monkeypatch.setattr(RldsDataset, "episode", spoiled)
    source = Source(plain_dataset, "train")
    with pytest.raises(EvlaError, match=r"plain_set.*episode 2.*action number 3 at step 5 is nan"):
        source.check(7, 8, ["primary"])


def test_missing_camera_lists_those_there(settings):
    settings["model"]["cameras"] = ["overhead"]
    with pytest.raises(
        EvlaError, match="'tabletop_arm' has no camera 'overhead'; valid names: primary, wrist"
    ):
        build(parse_config(settings, "test"))


def test_missing_split_and_missing_folder(plain_dataset, tmp_path):
    with pytest.raises(EvlaError, match="no episodes in split 'test'; its splits"):
        Source(plain_dataset, "test")
    with pytest.raises(EvlaError, match="there is no folder"):
        Source(tmp_path / "nothing", "train")


def test_wrong_action_width(plain_dataset):
    with pytest.raises(EvlaError, match="action has 7 numbers a step, the model takes 14"):
        Source(plain_dataset, "train").check(14, 8, ["primary"])


def test_same_dataset_twice(settings, plain_dataset):
    settings["datasets"] = [{"path": str(plain_dataset)}] * 2
    with pytest.raises(EvlaError, match="both called 'plain_set'"):
        build(parse_config(settings, "test"))


def test_unknown_key_has_a_path_and_a_hint(settings):
    with pytest.raises(TrainingError, match=r"x.yaml: optimizer.learning_rat: .*'learning_rate'"):
        parse_config({**settings, "optimizer": {"learning_rat": 1.0}}, "x.yaml")
    with pytest.raises(TrainingError, match=r"x.yaml: grounding: .*'loss.grounding'"):
        parse_config({**settings, "grounding": 1.0}, "x.yaml")
    with pytest.raises(TrainingError, match="did you mean 'datasets'"):
        parse_config({**settings, "dataset": []}, "x.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"datasets": []}, "datasets: tuple should have at least 1 item"),
        ({"optimizer": {"betas": [0.9, 1.5]}}, r"optimizer.betas\[1\]: 1.5 is not accepted"),
        ({"model": {"action": {"mask": "isolate"}}}, "action.mask: .*did you mean 'isolated'"),
        ({"model": {"action": {"maks": "isolated"}}}, "action.maks: .*did you mean 'mask'"),
        ({"model": {"action": {"chunk": 4}}}, "action.chunk: .*did you mean 'model.chunk'"),
        ({"output": ""}, "output: '' is not accepted"),
    ],
)
def test_a_value_that_is_not_accepted(settings, change, message):
    with pytest.raises(TrainingError, match=message):
        parse_config({**settings, **change}, "x.yaml")


def test_changes_on_the_command_line(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text("output: a\ndatasets: [{path: p}]\n")
    config = load_config(file, ["optimizer.steps=7", "datasets.0.split=all"])
    assert (config.optimizer.steps, config.datasets[0].split) == (7, "all")
    with pytest.raises(TrainingError, match="key.sub=value"):
        load_config(file, ["steps"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("datasets.3.path=x", "no entry '3'; there are 1"),
        ("datasets.first.path=x", "no entry 'first'"),
        ("output.sub=1", "'output' is no group of settings"),
        ("seed={", "not a YAML value"),
    ],
)
def test_a_change_that_leads_nowhere_is_named(tmp_path, change, message):
    file = tmp_path / "x.yaml"
    file.write_text("output: a\ndatasets: [{path: p}]\n")
    with pytest.raises(TrainingError, match=message):
        load_config(file, [change])
    assert load_config(file, ["model.start="]).model.start == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["optimizer.stepz=5"], r"^command line, 'optimizer.stepz=5': .*did you mean 'steps'"),
        (["datasets.0.wieght=5"], r"^command line, 'datasets.0.wieght=5': .*'weight'"),
        (["optimizer.steps=0"], r"^command line, 'optimizer.steps=0': optimizer.steps: 0 is not"),
        (["lora.alpha=4"], r"^command line, 'lora.alpha=4': lora.alpha: no effect"),
        (["seed=1"], r"x.yaml: loss.gruonding: unknown key; did you mean 'grounding'"),
    ],
)
def test_a_mistake_is_blamed_on_where_it_was_made(tmp_path, changes, message):
    file = tmp_path / "x.yaml"
    loss = "loss: {gruonding: 1}" if changes == ["seed=1"] else ""
    file.write_text(f"output: a\ndatasets: [{{path: p}}]\n{loss}\n")
    with pytest.raises(TrainingError, match=message):
        load_config(file, changes)


def test_every_problem_has_a_line_of_its_own(settings):
    wrong = {**settings, "sead": 1, "compile": "maybe", "lora": {"ranks": 4}}
    with pytest.raises(TrainingError) as error:
        parse_config(wrong, "x.yaml")
    found = [line.split(":")[1].strip() for line in str(error.value).splitlines()]
    assert sorted(found) == ["compile", "lora.ranks", "sead"]
