# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The dataset writer: equal bytes in any order, versions, splits, failures, and what it refuses."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from synthetic_dataset import synthetic_episode, synthetic_features, write_synthetic

from evla_ros.data.episode import Episode, EpisodeError
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.rlds.errors import CorruptRecordError, DatasetError
from evla_ros.data.rlds.features import features_for_embodiment, scalar, tensor
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.data.rlds.splits import assign_splits
from evla_ros.data.rlds.staging import stage_episode, staged_path
from evla_ros.data.rlds.writer import DatasetWriter
from evla_ros.embodiment import load_embodiment

ARM = load_embodiment("tabletop_arm")


def some(count: int, **options) -> list[Episode]:
    return [synthetic_episode(i, ARM, **options) for i in range(count)]


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def changed(episode: Episode, **fields) -> Episode:
    return dataclasses.replace(episode, **fields)


def test_bytes_do_not_depend_on_the_order(tmp_path):
    episodes = some(12)
    write_synthetic(tmp_path / "a", episodes, ARM, shard_bytes=60_000)
    write_synthetic(tmp_path / "b", episodes[::-1], ARM, shard_bytes=60_000)
    assert files_of(tmp_path / "a") == files_of(tmp_path / "b")
    names = set(files_of(tmp_path / "a" / "my_robot" / "1.0.0"))
    assert "my_robot-train.tfrecord-00000-of-00004" in names
    assert {"features.json", "dataset_info.json", "dataset_statistics.json"} <= names
    assert {"embodiment.yaml", "oxe_registration.py.txt", "README.md"} <= names


@pytest.mark.parametrize("robot", ["tabletop_arm", "humanoid_upper_body"])
def test_episodes_come_back(tmp_path, robot):
    embodiment = load_embodiment(robot)
    originals = {f"session/episode_{i:03d}": synthetic_episode(i, embodiment) for i in range(4)}
    dataset = RldsDataset.open(write_synthetic(tmp_path, originals.values(), embodiment).path)
    assert dataset.embodiment_text == embodiment.text
    for split in dataset.splits:
        for episode in dataset.episodes(split):
            original = originals.pop(episode.episode_id)
            assert episode.metadata == original.metadata
            assert list(episode.instructions) == list(original.instructions)
            np.testing.assert_array_equal(episode.action, original.action)
            for group in ("observations", "columns"):
                ours, theirs = getattr(episode, group), getattr(original, group)
                assert set(ours) == set(theirs)
                for key in ours:
                    assert ours[key].dtype == theirs[key].dtype
                    np.testing.assert_array_equal(ours[key], theirs[key])
            for key, frames in original.images.items():
                assert list(episode.images[key]) == frames
    assert not originals


def test_versions_are_bumped_when_the_content_changes(tmp_path):
    first = write_synthetic(tmp_path, some(3), ARM)
    again = write_synthetic(tmp_path, some(3), ARM)
    assert (first.version, first.unchanged) == ("1.0.0", False)
    assert (again.version, again.unchanged, again.path) == ("1.0.0", True, first.path)
    assert write_synthetic(tmp_path, some(4), ARM).version == "1.1.0"
    assert write_synthetic(tmp_path, some(4, size=(10, 16)), ARM, size=(10, 16)).version == "2.0.0"
    before = files_of(first.path)
    with pytest.raises(DatasetError, match="never overwritten"):
        write_synthetic(tmp_path, some(5), ARM, version="1.0.0")
    assert files_of(first.path) == before
    assert write_synthetic(tmp_path, some(5), ARM, version="3.1.4").version == "3.1.4"
    assert RldsDataset.open(tmp_path / "my_robot").path.name == "3.1.4"


def test_failed_episodes_are_a_dataset_of_their_own(tmp_path):
    episodes = some(5)[:3] + [synthetic_episode(i, ARM, success=False) for i in (7, 8)]
    report = write_synthetic(tmp_path, episodes, ARM)
    assert sum(report.splits.values()) == 3
    assert report.failures is not None
    failures = RldsDataset.open(tmp_path / "my_robot_failures")
    found = [e for split in failures.splits for e in failures.episodes(split)]
    assert [e.success for e in found] == [False, False]
    assert all(not e.columns["is_terminal"].any() for e in found)


@pytest.mark.parametrize("count", [2, 3, 7, 40, 500])
def test_both_splits_are_real_and_disjoint(count):
    ids = [f"bag_{i}" for i in range(count)]
    splits = assign_splits(ids)
    assert sorted(splits["train"] + splits["val"]) == sorted(ids)
    assert splits["train"]
    assert splits["val"]
    assert splits == assign_splits(reversed(ids))
    if count == 500:
        assert 30 <= len(splits["val"]) <= 70
        later = assign_splits([*ids, "one more"])
        assert set(splits["val"]) <= set(later["val"])


def test_a_single_episode_is_all_train(tmp_path):
    assert write_synthetic(tmp_path, some(1), ARM).splits == {"train": 1}


def test_statistics_cover_both_splits(tmp_path):
    episodes = some(6)
    dataset = RldsDataset.open(write_synthetic(tmp_path, episodes, ARM).path)
    statistics = dataset.statistics
    actions = np.concatenate([e.action for e in episodes]).astype(np.float64)
    assert statistics["num_transitions"] == len(actions)
    assert statistics["num_trajectories"] == 6
    np.testing.assert_allclose(statistics["action"]["mean"], actions.mean(0), atol=1e-7)
    np.testing.assert_allclose(statistics["action"]["std"], actions.std(0), atol=1e-7)
    np.testing.assert_allclose(
        statistics["action"]["q99"], np.quantile(actions, 0.99, 0), atol=1e-7
    )
    assert statistics["action"]["mask"] == [True] * 6 + [False]
    assert len(statistics["proprio"]["q01"]) == 8


def test_an_exception_leaves_nothing_behind(tmp_path):
    with (
        pytest.raises(ZeroDivisionError),
        DatasetWriter(tmp_path, "my_robot", synthetic_features(ARM)) as writer,
    ):
        writer.add(some(1)[0])
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_a_staging_folder_survives_and_is_resumed(tmp_path):
    staging, features = tmp_path / "staging", synthetic_features(ARM)
    episodes = some(3)
    for episode in episodes[:2]:
        stage_episode(staging, episode, features)
    assert staged_path(staging, episodes[0].episode_id).exists()
    (staging / "half.episode.77.partial").write_bytes(b"cut")
    with DatasetWriter(tmp_path / "out", "my_robot", features, staging=staging) as writer:
        writer.add(episodes[1])
        writer.add(episodes[2])
    assert sum(writer.report.splits.values()) == 3
    assert staged_path(staging, episodes[0].episode_id).exists()


def test_a_damaged_staged_file_is_named(tmp_path):
    staging, features = tmp_path / "staging", synthetic_features(ARM)
    path = stage_episode(staging, some(1)[0], features)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(CorruptRecordError, match=path.name):
        DatasetWriter(tmp_path / "out", "my_robot", features, staging=staging).write()
    assert not (tmp_path / "out" / "my_robot" / "1.0.0").exists()


def refused(tmp_path, episode, message):
    with pytest.raises(DatasetError, match=message):
        write_synthetic(tmp_path, [episode], ARM)
    assert not (tmp_path / "my_robot").exists()


def test_bad_episodes_are_refused(tmp_path):
    good = some(1)[0]
    action = good.action.copy()
    action[3, 2] = np.nan
    refused(tmp_path, changed(good, action=action), "action is not finite at step 3")
    refused(
        tmp_path, changed(good, action=good.action[:, :6]), r"shape \[9, 6\], declared \[9, 7\]"
    )
    refused(tmp_path, changed(good, action=good.action.astype(np.float64)), "dtype float64")
    no_id = {**good.metadata, "episode_id": ""}
    refused(tmp_path, changed(good, metadata=no_id), "needs a unique .episode_id.")
    extra = {**good.metadata, "mood": "good"}
    refused(tmp_path, changed(good, metadata=extra), "metadata 'mood' is not declared")
    columns = {k: v for k, v in good.columns.items() if k != "age_s"}
    refused(tmp_path, changed(good, columns=columns), "'age_s' is declared in the features but")
    frames = list(good.images["image_wrist"])
    for bad, message in (
        (b"", "neither JPEG nor PNG"),
        (encode_jpeg(np.zeros((32, 24, 3), np.uint8)), "image is 32x24"),
    ):
        images = {**good.images, "image_wrist": [*frames[:-1], bad]}
        refused(tmp_path, changed(good, images=images), f"image_wrist, step 8.*{message}")


def test_two_episodes_of_one_name_are_refused(tmp_path):
    first, second = some(2)
    same_name = changed(second, metadata=first.metadata)
    with pytest.raises(DatasetError, match="two different episodes"):
        write_synthetic(tmp_path, [first, same_name], ARM)


def test_columns_of_unequal_length_are_refused():
    good = some(1)[0]
    with pytest.raises(EpisodeError, match="'state' has 8 steps but the action has 9"):
        changed(good, observations={"state": good.observations["state"][:-1]})


@pytest.mark.parametrize(
    ("name", "hint"), [("My-Robot", "my_robot"), ("2arm", "set_2arm"), ("MyRobot", "my_robot")]
)
def test_names_that_tfds_cannot_load_are_refused(tmp_path, name, hint):
    with pytest.raises(DatasetError, match=f"like '{hint}'"):
        DatasetWriter(tmp_path, name, synthetic_features(ARM))


def test_features_that_no_loader_takes_are_refused():
    with pytest.raises(DatasetError, match="dlimp"):
        features_for_embodiment(ARM, 64, columns={"traj_metadata": scalar()})
    with pytest.raises(DatasetError, match="must be scalar"):
        features_for_embodiment(ARM, 64, metadata={"pose": tensor((3,))})
    with pytest.raises(DatasetError, match="dtype 'float64' cannot be stored"):
        tensor((3,), "float64")


def test_no_episodes_is_an_error_and_content_file_is_json(tmp_path):
    with pytest.raises(DatasetError, match="no episodes"):
        write_synthetic(tmp_path, [], ARM)
    report = write_synthetic(tmp_path, some(2), ARM)
    assert len(json.loads((report.path / "content.json").read_text())["records_sha256"]) == 64
