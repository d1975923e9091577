# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The doctor reads published datasets as training does, and says when it cannot judge actions."""

from __future__ import annotations

from open_x_datasets import write_fake

from evla_ros.data.doctor.examine import examine
from evla_ros.data.rlds.reader import RldsDataset


def found(path):
    return examine(RldsDataset.open(path))


def test_nested_actions_are_judged(tmp_path):
    examination = found(write_fake(tmp_path, "fractal20220817_data", 3))
    assert examination.context.action_names[-1] == "gripper"
    assert {episode.action.shape[1] for episode in examination.episodes} == {7}
    assert not any("never move" in finding.message for finding in examination.findings)


def test_nested_actions_of_another_dataset_are_not_taken_for_a_robot_that_rests(tmp_path):
    examination = found(write_fake(tmp_path, "taco_play", 3, folder="my_play"))
    texts = [finding.message for finding in examination.findings]
    assert any("actions are not judged" in text for text in texts)
    assert not any("never move" in text for text in texts)


def test_another_dataset_of_a_published_name_is_named(tmp_path):
    examination = found(write_fake(tmp_path, "viola", 3, folder="toto"))
    assert any("lacks the column 'action/open_gripper'" in f.message for f in examination.findings)
