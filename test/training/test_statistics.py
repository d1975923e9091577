# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One robot, one entry: what serves a checkpoint of several datasets has nothing to choose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_datasets import two_arm_dataset

from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.predictor import Predictor
from evla_ros.training.config import parse_config
from evla_ros.training.errors import TrainingDataError
from evla_ros.training.samples.source import Source, sampled_steps, taught_actions
from evla_ros.training.samples.statistics import choose_statistics, statistics_key
from evla_ros.training.train import train


@pytest.fixture
def sources(plain_dataset, relabelled_dataset):
    return [Source(path, "train") for path in (plain_dataset, relabelled_dataset)]


def test_several_datasets_of_one_robot_are_pooled_under_its_name(sources):
    statistics = choose_statistics(sources, "auto")
    assert list(statistics.datasets) == ["tabletop_arm"]
    entry = statistics.datasets["tabletop_arm"]
    actions = np.concatenate([source.numbers()[0] for source in sources])
    np.testing.assert_allclose(entry["action"]["q99"], np.quantile(actions, 0.99, axis=0))
    assert entry["action"]["mask"] == [True] * 6 + [False]
    assert entry["num_transitions"] == len(actions)
    assert statistics_key(statistics, "plain_set") == "tabletop_arm"


def test_one_dataset_keeps_its_own_name_and_mixtures_may_too(sources):
    assert list(choose_statistics(sources[:1], "auto").datasets) == ["plain_set"]
    assert list(choose_statistics(sources[:1], "pooled").datasets) == ["tabletop_arm"]
    both = choose_statistics(sources, "per_dataset")
    assert list(both.datasets) == ["plain_set", "relabelled_set"]
    assert statistics_key(both, "relabelled_set") == "relabelled_set"


def test_where_a_policy_only_visited_the_experts_answers_count(sources):
    own = sources[1].episode(0)
    steps = sampled_steps(own)
    visited = replace(
        own,
        episode=replace(
            own.episode, metadata={**own.episode.metadata, "follows_instruction": False}
        ),
    )
    np.testing.assert_array_equal(taught_actions(own), own.action[own.first : own.last])
    answers = np.stack([own.episode.columns["relabel_actions_0"][step][0] for step in steps])
    np.testing.assert_array_equal(taught_actions(visited), answers)
    assert not np.array_equal(answers, own.action[steps])


def test_two_robots_are_never_pooled(sources, tmp_path):
    mixed = [sources[0], Source(two_arm_dataset(tmp_path), "train")]
    assert list(choose_statistics(mixed, "auto").datasets) == ["plain_set", "two_arms"]
    with pytest.raises(TrainingDataError, match="plain_set, two_arms are not"):
        choose_statistics(mixed, "pooled")


def test_a_checkpoint_of_two_datasets_is_served_without_a_choice(
    settings, plain_dataset, relabelled_dataset
):
    settings["datasets"] = [{"path": str(plain_dataset)}, {"path": str(relabelled_dataset)}]
    settings["optimizer"] = {"steps": 1, "batch": 2}
    folder = train(parse_config(settings, "test"))
    predictor = Predictor(folder / "last")
    assert predictor.key == "tabletop_arm"
    assert list(DatasetStatistics.read(folder / "last" / "dataset_statistics.json").datasets) == [
        "tabletop_arm"
    ]


def test_what_was_learned_before_leaves_no_second_entry(settings, relabelled_dataset, tmp_path):
    settings["optimizer"] = {"steps": 1, "batch": 2}
    first = train(parse_config(settings, "test"))
    again = {**settings, "output": str(tmp_path / "again")}
    again["datasets"] = [{"path": str(relabelled_dataset)}]
    again["model"] = {"start": str(first / "last"), "chunk": 4}
    folder = train(parse_config(again, "test"))
    assert Predictor(folder / "last").key == "relabelled_set"
