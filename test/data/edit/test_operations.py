# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Merging, splitting and editing: copies only, nothing lost, originals untouched."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from synthetic_dataset import synthetic_episode, synthetic_features, write_synthetic

from evla_ros.data.edit.operations import edit, merge, split, statistics_of
from evla_ros.data.rlds.errors import DatasetError
from evla_ros.data.rlds.features import scalar, tensor, text
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.data.rlds.writer import DatasetWriter
from evla_ros.embodiment import action_layout, load_embodiment, parse_embodiment

ARM = load_embodiment("tabletop_arm")


def make(root, name, indices, embodiment=ARM, **options) -> RldsDataset:
    episodes = [synthetic_episode(i, embodiment, **options) for i in indices]
    return RldsDataset.open(write_synthetic(root, episodes, embodiment, name=name).path)


def contents(dataset: RldsDataset) -> dict[str, bytes]:
    return {
        dataset.episode(split, i).episode_id: bytes(dataset.record(split, i))
        for split, count in dataset.splits.items()
        for i in range(count)
    }


def files(dataset):
    return {p.name: p.read_bytes() for p in dataset.path.iterdir()}


def test_merge_keeps_every_record_and_its_split(tmp_path):
    first, second = make(tmp_path, "one", range(5)), make(tmp_path, "two", range(5, 9))
    before = files(first)
    merged = RldsDataset.open(merge([first, second], tmp_path, "both").path)
    assert contents(merged) == contents(first) | contents(second)
    assert merged.splits["val"] == first.splits["val"] + second.splits["val"]
    assert merged.embodiment_text == ARM.text
    assert merged.statistics["num_trajectories"] == 9
    assert files(first) == before


def test_merge_refuses_what_does_not_belong_together(tmp_path):
    first = make(tmp_path, "one", range(3))
    with pytest.raises(DatasetError, match="'session/episode_001' is in both one and two"):
        merge([first, make(tmp_path, "two", range(1, 4))], tmp_path, "both")
    wide = write_synthetic(
        tmp_path, [synthetic_episode(9, ARM, size=(8, 8))], ARM, name="small", size=(8, 8)
    )
    with pytest.raises(DatasetError, match="observation/image_primary"):
        merge([first, RldsDataset.open(wide.path)], tmp_path, "both")
    text = ARM.text.replace("rate_hz: 10", "rate_hz: 5", 1)
    assert text != ARM.text
    other = parse_embodiment(text, source="other")
    with pytest.raises(DatasetError, match="different embodiments: .*rate_hz"):
        merge([first, make(tmp_path, "slow", range(5, 7), other)], tmp_path, "both")
    assert not (tmp_path / "both").exists() or not list((tmp_path / "both").iterdir())


def test_split_anew_and_move_failures(tmp_path):
    episodes = [synthetic_episode(i, ARM) for i in range(12)]
    dataset = RldsDataset.open(write_synthetic(tmp_path, episodes, ARM).path)
    report, moved = split(dataset, tmp_path / "out", "my_robot", 0.5)
    assert moved is None
    assert report.splits == {"train": 6, "val": 6}
    assert contents(RldsDataset.open(report.path)) == contents(dataset)


@pytest.mark.parametrize(("share", "held_out"), [(0.01, 1), (0.25, 2), (0.4, 3), (0.99, 7)])
def test_split_of_a_small_set_has_the_share_that_was_asked_for(tmp_path, share, held_out):
    report, _ = split(make(tmp_path, "eight", range(8)), tmp_path, "eight", share)
    assert report.splits == {"train": 8 - held_out, "val": held_out}


def labelled(root, name, indices) -> RldsDataset:
    """Episodes with the columns that a simulator's labels add."""
    features = synthetic_features(ARM)
    steps = {
        **features.steps,
        "object_pixels": tensor((2, 2), "float32"),
        "relabel_actions_0": tensor((7,), "float32"),
        "relabel_steps_0": scalar("int64"),
        "relabel_instruction_0": text(),
    }
    features = dataclasses.replace(features, steps=steps)
    with DatasetWriter(
        root, name, features, embodiment_text=ARM.text, action_layout=action_layout(ARM)
    ) as writer:
        for index in indices:
            episode = synthetic_episode(index, ARM)
            rng = np.random.default_rng(index)
            columns = {
                "object_pixels": rng.normal(size=(len(episode), 2, 2)).astype(np.float32),
                "relabel_actions_0": episode.action[::-1].copy(),
                "relabel_steps_0": np.arange(len(episode)),
                "relabel_instruction_0": np.array([f"go {index}"] * len(episode), dtype=object),
            }
            writer.add(dataclasses.replace(episode, columns={**episode.columns, **columns}))
    return RldsDataset.open(writer.report.path)


def test_copies_keep_further_columns_the_robot_and_true_statistics(tmp_path):
    first, second = labelled(tmp_path, "one", range(5)), labelled(tmp_path, "two", range(5, 9))
    merged = RldsDataset.open(merge([first, second], tmp_path, "both").path)
    report, _ = split(merged, tmp_path, "both", 0.5)
    again = RldsDataset.open(report.path)
    edited = RldsDataset.open(edit(again, tmp_path, "few", drop=["train/0"]).path)
    for dataset, count in ((merged, 9), (again, 9), (edited, 8)):
        episodes = [episode for name in dataset.splits for episode in dataset.episodes(name)]
        assert len(episodes) == count
        assert dataset.embodiment_text == ARM.text
        for episode in episodes:
            index = -episode.metadata["interventions"]
            original = synthetic_episode(index, ARM)
            np.testing.assert_array_equal(
                episode.columns["relabel_actions_0"][::-1], episode.action
            )
            np.testing.assert_array_equal(episode.action, original.action)
            assert episode.columns["object_pixels"].shape == (len(episode), 2, 2)
            assert set(episode.columns["relabel_instruction_0"]) == {f"go {index}"}
        actions = np.concatenate([episode.action for episode in episodes])
        stored = dataset.statistics
        assert stored["num_transitions"] == len(actions)
        np.testing.assert_allclose(stored["action"]["mean"], actions.mean(axis=0), atol=1e-6)
        np.testing.assert_allclose(
            stored["action"]["q99"], np.quantile(actions, 0.99, axis=0), atol=1e-6
        )
        assert stored["action"]["mask"] == [True] * 6 + [False]


def test_split_moves_failures_out(tmp_path):
    failing = make(tmp_path, "tries", range(4), success=False)  # becomes tries_failures
    assert failing.name == "tries_failures"
    good = make(tmp_path, "good", range(4, 8))
    mixed = RldsDataset.open(merge([good, failing], tmp_path, "mixed").path)
    report, moved = split(mixed, tmp_path / "out", "mixed", 0.3, failures=True)
    assert sum(report.splits.values()) == 4
    assert moved is not None
    assert contents(RldsDataset.open(moved.path)) == contents(failing)


def test_drop_by_id_and_by_place(tmp_path):
    dataset = make(tmp_path, "my_robot", range(6))
    first = dataset.episode("train", 0).episode_id
    report = edit(dataset, tmp_path, "my_robot", drop=[first, "train/1"])
    assert report.version == "1.1.0"
    left = contents(RldsDataset.open(report.path))
    assert first not in left
    assert len(left) == 4
    with pytest.raises(DatasetError, match="has no episode 'train/99'"):
        edit(dataset, tmp_path, "my_robot", drop=["train/99"])
    with pytest.raises(DatasetError, match="nothing is left"):
        edit(dataset, tmp_path, "my_robot", drop=list(contents(dataset)))


def test_dropping_all_of_a_split_fills_it_again(tmp_path):
    dataset = make(tmp_path, "my_robot", range(6))
    gone = [f"val/{index}" for index in range(dataset.splits["val"])]
    report = edit(dataset, tmp_path, "my_robot", drop=gone)
    assert report.splits["val"] >= 1
    assert sum(report.splits.values()) == 6 - len(gone)


def test_instructions_are_replaced_and_all_else_is_kept(tmp_path):
    dataset = make(tmp_path, "my_robot", range(4))
    old = dataset.episode("train", 0).instruction
    report = edit(dataset, tmp_path, "renamed", replace={old: "push the cup"})
    changed = RldsDataset.open(report.path)
    texts = {e.instruction for s in changed.splits for e in changed.episodes(s)}
    assert "push the cup" in texts
    assert old not in texts
    for name in dataset.splits:
        for ours, theirs in zip(changed.episodes(name), dataset.episodes(name), strict=True):
            np.testing.assert_array_equal(ours.action, theirs.action)
            assert ours.metadata == theirs.metadata
            assert list(ours.images["image_wrist"]) == list(theirs.images["image_wrist"])
    everywhere = RldsDataset.open(edit(dataset, tmp_path, "same", instruction="go").path)
    assert {e.instruction for s in everywhere.splits for e in everywhere.episodes(s)} == {"go"}
    with pytest.raises(DatasetError, match="no episode has the instruction 'sing'"):
        edit(dataset, tmp_path, "renamed", replace={"sing": "dance"})


def test_an_unchanged_copy_is_not_a_new_version(tmp_path):
    dataset = make(tmp_path, "my_robot", range(4))
    report = edit(dataset, tmp_path, "my_robot")
    assert (report.version, report.unchanged) == ("1.0.0", True)


def test_statistics_anew_equal_the_stored_ones(tmp_path):
    dataset = make(tmp_path, "my_robot", range(4))
    assert statistics_of(dataset) == dataset.statistics


def test_real_bridge_data_gets_a_val_split(tmp_path, shared):
    bridge = RldsDataset.open(shared / "data" / "bridge_dataset")
    report, _ = split(bridge, tmp_path, "bridge_dataset", 0.2)
    copy = RldsDataset.open(report.path)
    assert set(copy.splits) == {"train", "val"}
    assert sum(copy.splits.values()) == 25
    original = {bytes(bridge.record("train", i)) for i in range(25)}
    copied = {bytes(copy.record(s, i)) for s, count in copy.splits.items() for i in range(count)}
    assert copied == original
    assert dataclasses.astuple(copy.features)[1:] == dataclasses.astuple(bridge.features)[1:]
