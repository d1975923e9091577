# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One robot, one entry: what serves a checkpoint of several datasets has nothing to choose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_datasets import two_arm_dataset
from small_training import CHUNK, small_robot

from evla_ros.errors import EvlaError
from evla_ros.model.checkpoint import load_checkpoint, save_checkpoint
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.predictor import Predictor
from evla_ros.policy.spec import PolicySpec, build_policy
from evla_ros.training.config_file import parse_config
from evla_ros.training.errors import TrainingDataError
from evla_ros.training.metrics import read_metrics
from evla_ros.training.parts import build
from evla_ros.training.samples.source import Source
from evla_ros.training.samples.statistics import choose_statistics, statistics_key
from evla_ros.training.samples.taught import sampled_steps, taught_actions
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
    assert statistics_key(statistics, sources[0]) == "tabletop_arm"


def test_one_dataset_keeps_its_own_name_and_mixtures_may_too(sources):
    assert list(choose_statistics(sources[:1], "auto").datasets) == ["plain_set"]
    assert list(choose_statistics(sources[:1], "pooled").datasets) == ["tabletop_arm"]
    both = choose_statistics(sources, "per_dataset")
    assert list(both.datasets) == ["plain_set", "relabelled_set"]
    assert statistics_key(both, sources[1]) == "relabelled_set"


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


def test_a_checkpoint_of_several_entries_is_served_by_the_robots_name_or_the_one_that_is_named(
    settings, plain_dataset, relabelled_dataset
):
    settings["datasets"] = [{"path": str(plain_dataset)}, {"path": str(relabelled_dataset)}]
    settings["statistics"] = "per_dataset"
    settings["optimizer"] = {"steps": 1, "batch": 2}
    last = train(parse_config(settings, "test")) / "last"
    robot = small_robot()
    spec = PolicySpec("evla", robot.text, str(last))
    with pytest.raises(EvlaError, match=r"2 datasets \(plain_set, relabelled_set\); name one"):
        build_policy(spec)
    assert build_policy(replace(spec, statistics="plain_set")).chunk_length == CHUNK
    with pytest.raises(EvlaError, match="unknown statistics key 'plain'"):
        build_policy(replace(spec, statistics="plain"))
    known = DatasetStatistics.read(last / "dataset_statistics.json").datasets
    named = {"other": known["plain_set"], robot.name: known["relabelled_set"]}
    loaded = load_checkpoint(last)
    folder = save_checkpoint(
        last.parent / "named",
        loaded.model,
        loaded.processor.prompt_builder.tokenizer,
        DatasetStatistics(named),
        loaded.embodiment_text,
    )
    assert Predictor(folder).key == robot.name
    assert build_policy(replace(spec, checkpoint=str(folder))).chunk_length == CHUNK


def test_the_run_says_which_numbers_are_not_taught_or_rare(settings):
    notes = build(parse_config(settings, "test")).notes
    assert "action arm_dz is always 0; loaders map it to 0" in notes
    assert not any("arm_dx" in note for note in notes)


def test_mean_std_reports_errors_in_metres(settings):
    settings["model"]["action"] = {"normalization": "mean_std"}
    settings["optimizer"] = {"steps": 2, "batch": 4}
    entries = read_metrics(train(parse_config(settings, "test")))
    errors = [value for entry in entries for value in entry.get("l1", {}).values()]
    assert errors
    assert min(errors) >= 0
    held_out = [found["normalized_l1"] for e in entries for found in e.get("val", {}).values()]
    assert held_out
    assert min(held_out) > 0


def test_what_was_learned_before_leaves_no_second_entry(settings, relabelled_dataset, tmp_path):
    settings["optimizer"] = {"steps": 1, "batch": 2}
    first = train(parse_config(settings, "test"))
    again = {**settings, "output": str(tmp_path / "again")}
    again["datasets"] = [{"path": str(relabelled_dataset)}]
    again["model"] = {"start": str(first / "last")}
    folder = train(parse_config(again, "test"))
    assert Predictor(folder / "last").key == "relabelled_set"
