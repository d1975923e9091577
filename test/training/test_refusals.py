# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Everything wrong with data or configuration is named before the first step."""

from __future__ import annotations

import numpy as np
import pytest

from evla_ros.errors import EvlaError
from evla_ros.training.building import build
from evla_ros.training.config import load_config, parse_config
from evla_ros.training.errors import TrainingError
from evla_ros.training.samples.source import Source
from evla_ros.training.samples.standardize import StandardEpisode


def test_nan_action_names_dataset_episode_and_step(plain_dataset, monkeypatch):
    source = Source(plain_dataset, "train")
    real = source.episode

    def spoiled(index):
        episode = real(index)
        action = np.array(episode.action)
        if index == 2:
            action[5, 3] = np.nan
        return StandardEpisode(episode.episode, episode.cameras, action, episode.proprio)

    monkeypatch.setattr(source, "episode", spoiled)
    with pytest.raises(EvlaError, match=r"plain_set.*episode 2.*action number 3 at step 5 is nan"):
        source.check(7, 8, ["primary"])


def test_missing_camera_lists_those_there(settings):
    settings["model"]["cameras"] = ["overhead"]
    with pytest.raises(EvlaError, match="lacks camera 'overhead'; it has: primary, wrist"):
        build(parse_config(settings, "test"))


def test_missing_split_and_missing_folder(plain_dataset, tmp_path):
    with pytest.raises(EvlaError, match="no episodes in split 'test'; its splits"):
        Source(plain_dataset, "test")
    with pytest.raises(EvlaError, match="there is no folder"):
        Source(tmp_path / "nothing", "train")


def test_wrong_action_width(plain_dataset):
    with pytest.raises(EvlaError, match=r"action has shape \[9, 7\], the model takes 14"):
        Source(plain_dataset, "train").check(14, 8, ["primary"])


def test_same_dataset_twice(settings, plain_dataset):
    settings["datasets"] = [{"path": str(plain_dataset)}] * 2
    with pytest.raises(EvlaError, match="both called 'plain_set'"):
        build(parse_config(settings, "test"))


def test_unknown_key_has_a_path_and_a_hint(settings):
    with pytest.raises(TrainingError, match="optimizer.learning_rat"):
        parse_config({**settings, "optimizer": {"learning_rat": 1.0}}, "x.yaml")
    with pytest.raises(TrainingError, match="did you mean 'datasets'"):
        parse_config({**settings, "dataset": []}, "x.yaml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cache_features": True}, "cache_features needs"),
        ({"loss": {"grounding": 1.0}, "data": {"augment": True}}, "augment: false"),
        ({"lora": {"rank": 4}, "freeze": ["vision"]}, "leave freeze empty"),
        ({"datasets": []}, "datasets"),
    ],
)
def test_settings_that_contradict_each_other(settings, change, message):
    with pytest.raises(TrainingError, match=message):
        parse_config({**settings, **change}, "x.yaml")


def test_changes_on_the_command_line(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_text("output: a\ndatasets: [{path: p}]\n")
    config = load_config(file, ["optimizer.steps=7", "datasets.0.weight=2.5"])
    assert (config.optimizer.steps, config.datasets[0].weight) == (7, 2.5)
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
