# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The reader: real BridgeData, random access, and folders that are incomplete or damaged."""

from __future__ import annotations

import json
import pickle

import numpy as np
import pytest
from synthetic_dataset import synthetic_episode, write_synthetic

from evla_ros.data.image_resize import ImageError
from evla_ros.data.rlds.dataset_info import SplitInfo
from evla_ros.data.rlds.errors import CorruptRecordError, DatasetError
from evla_ros.data.rlds.features_json import from_json, to_json
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.data.rlds.statistics import StatisticsCollector
from evla_ros.embodiment import load_embodiment

ARM = load_embodiment("tabletop_arm")


@pytest.fixture
def dataset(tmp_path):
    report = write_synthetic(
        tmp_path, [synthetic_episode(i, ARM, steps=5 + i) for i in range(6)], ARM
    )
    return RldsDataset.open(report.path)


@pytest.fixture
def bridge(shared):
    return RldsDataset.open(shared / "data" / "bridge_dataset")


def test_real_bridge_data(bridge):
    assert bridge.splits == {"train": 25}
    assert bridge.features.action_dim == 7
    episode = bridge.episode("train", 0)
    assert episode.instruction == "put cup from counter or drying rack into sink"
    assert episode.camera_keys == ("image_1", "image_0", "image_2", "image_3") or set(
        episode.camera_keys
    ) == {f"image_{i}" for i in range(4)}
    assert episode.image("image_0", 3).shape == (64, 64, 3)
    assert (
        episode.observations["language_embedding"].shape[1:] == (512,)
        if ("language_embedding" in episode.observations)
        else episode.columns["language_embedding"].shape == (len(episode), 512)
    )
    collector = StatisticsCollector()
    for item in bridge.episodes("train"):
        collector.add(item.action, item.observations["state"])
    statistics = collector.result()
    assert statistics["num_trajectories"] == 25
    assert statistics["num_transitions"] == len(bridge.step_index("train"))
    assert statistics["action"]["mask"] == [True] * 6 + [False]
    assert statistics["action"]["q99"][6] == 1.0
    assert all(abs(q) < 0.2 for q in statistics["action"]["q01"][:6])


def test_features_json_survives_a_round_trip(bridge, dataset):
    for features in (bridge.features, dataset.features):
        assert from_json(to_json(features), "text") == features


def test_shuffled_steps_visit_every_step_once(dataset):
    index = dataset.step_index("train")
    lengths = dataset.lengths("train")
    assert len(index) == sum(lengths)
    everything = {(e, t) for e, length in enumerate(lengths) for t in range(length)}
    order = list(index.shuffled(3))
    assert set(order) == everything
    assert len(order) == len(everything)
    assert order != list(index.shuffled(4))
    assert list(index.shuffled(3, skip=10)) == order[10:]
    assert [index.locate(i) for i in range(len(index))] == sorted(everything)
    with pytest.raises(IndexError):
        index.locate(len(index))


def test_steps_of_an_episode(dataset):
    episode = dataset.episode("train", 0)
    steps = list(episode)
    assert [step.index for step in steps] == list(range(len(episode)))
    np.testing.assert_array_equal(np.stack([s.action for s in steps]), episode.action)
    assert steps[1].images["image_primary"] == episode.images["image_primary"][1]
    assert bool(steps[-1].columns["is_last"]) is True
    with pytest.raises(Exception, match="no camera 'image_left'"):
        episode.image("image_left", 0)


def test_another_process_can_have_it(dataset):
    copy = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(copy.episode("val", 0).action, dataset.episode("val", 0).action)


def test_only_so_many_episodes_are_kept(dataset):
    small = RldsDataset.open(dataset.path, cached_episodes=2)
    assert small.episode("train", 0) is small.episode("train", 0)
    first = small.episode("train", 0)
    for index in range(1, 4):
        small.episode("train", index)
    assert small.episode("train", 0) is not first


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}", ["a-train.tfrecord-00000-of-00001"]),
        ("{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_INDEX}", ["a-train.tfrecord-00000"]),
    ],
)
def test_both_shard_templates_of_tfds(template, names):
    assert SplitInfo("train", (3,), 1, template).shard_names("a") == names


def test_folders_that_are_no_dataset(tmp_path, dataset):
    with pytest.raises(DatasetError, match="there is no folder"):
        RldsDataset.open(tmp_path / "absent")
    with pytest.raises(DatasetError, match="datasets below it: my_robot"):
        RldsDataset.open(tmp_path)
    with pytest.raises(DatasetError, match="no split 'trian'; did you mean 'train'"):
        dataset.episode("trian", 0)


def shard(dataset, split="train"):
    return next(dataset.path.glob(f"*-{split}.*"))


def test_a_missing_shard_is_named(dataset):
    shard(dataset).unlink()
    with pytest.raises(DatasetError, match="is missing, but dataset_info.json lists it"):
        RldsDataset.open(dataset.path).episode("train", 0)


def test_a_wrong_episode_count_is_an_error(dataset):
    info = json.loads((dataset.path / "dataset_info.json").read_text())
    info["splits"][0]["shardLengths"] = ["2"]
    (dataset.path / "dataset_info.json").write_text(json.dumps(info))
    with pytest.raises(CorruptRecordError, match="holds 5 episodes, but dataset_info.json says 2"):
        RldsDataset.open(dataset.path).episode("train", 0)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"name": 3}', '{"name": "a", "version": "1"}']
)
def test_damaged_json_is_a_sentence(dataset, text):
    for name in ("dataset_info.json", "features.json"):
        path = dataset.path / name
        good = path.read_text()
        path.write_text(text)
        with pytest.raises(DatasetError, match=name):
            RldsDataset.open(dataset.path)
        path.write_text(good)


def test_another_file_format_is_refused(dataset):
    info = json.loads((dataset.path / "dataset_info.json").read_text())
    info["fileFormat"] = "array_record"
    (dataset.path / "dataset_info.json").write_text(json.dumps(info))
    with pytest.raises(DatasetError, match="'array_record' is not supported"):
        RldsDataset.open(dataset.path)


def test_an_image_that_is_no_image(dataset):
    episode = dataset.episode("train", 0)
    episode.images["image_primary"]._convert = lambda _: b"\xff\xd8nothing"
    with pytest.raises(ImageError, match="a JPEG of 9 bytes is damaged"):
        episode.image("image_primary", 0)
