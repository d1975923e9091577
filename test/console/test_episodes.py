# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Kept episodes as the console shows them, and the dataset that its button makes."""

from __future__ import annotations

import time

import pytest
from synthetic_bag import SyntheticRobot, write_robot_bag

from evla_ros.console.errors import RefusedError
from evla_ros.console.library.dataset_job import DatasetJob
from evla_ros.console.library.episodes import Episodes
from evla_ros.data.bags.reader import recorded_custom_data
from evla_ros.data.rlds.reader import RldsDataset
from evla_ros.embodiment import load_embodiment

BODY = load_embodiment("tabletop_arm")


@pytest.fixture
def episodes(tmp_path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    write_robot_bag(folder / "one", SyntheticRobot(BODY, seconds=2.0))
    return Episodes(folder)


def test_an_episode_is_listed_shown_labelled_and_moved_to_the_trash(episodes):
    (row,) = episodes.rows()
    assert row["name"] == "one"
    assert episodes.rows("one") == [], "the one in progress is left out"
    assert episodes.thumbnail("one")[:2] == b"\xff\xd8"
    times = episodes.clip_times("one")["cameras"]
    assert set(times) == set(BODY.cameras)
    assert all(10 <= len(of_camera) <= 25 for of_camera in times.values())
    assert episodes.clip_picture("one", "wrist", 3)[:2] == b"\xff\xd8"
    assert "labelled success" in episodes.label("one", "success")
    assert recorded_custom_data(episodes.folder / "one")["outcome"] == "success"
    assert episodes.rows()[0]["outcome"] == "success"
    episodes.trash("one")
    assert episodes.rows() == []
    assert (episodes.folder / "trash" / "one").is_dir()


@pytest.mark.parametrize("name", ["", "..", "trash", "two", "../recordings/one", "one/", ".one"])
def test_only_episodes_of_the_folder_can_be_named(episodes, name):
    for ask in (episodes.thumbnail, episodes.trash, episodes.clip_times):
        with pytest.raises(RefusedError, match="no episode"):
            ask(name)
    assert (episodes.folder / "one").is_dir()


def test_what_is_not_there_is_refused(episodes, tmp_path):
    with pytest.raises(RefusedError, match="one of unknown, success, failure, not 'great'"):
        episodes.label("one", "great")
    for camera, number in (("wrist", 10_000), ("nose", 0)):
        with pytest.raises(RefusedError, match="no picture"):
            episodes.clip_picture("one", camera, number)
    assert Episodes(tmp_path / "nowhere").rows() == []


def test_a_broken_bag_is_listed_with_its_problem(episodes):
    broken = episodes.folder / "two"
    broken.mkdir()
    (broken / "metadata.yaml").write_text("nonsense: [", encoding="utf-8")
    rows = {row["name"]: row for row in episodes.rows()}
    assert rows["two"]["problem"]
    with pytest.raises(RefusedError):
        episodes.thumbnail("two")


def test_the_button_converts_and_examines(episodes, tmp_path):
    job = DatasetJob(tmp_path / "datasets")
    with pytest.raises(RefusedError, match="no kept episode"):
        job.start([])
    job.start(episodes.kept())
    with pytest.raises(RefusedError, match="still at work"):
        job.start(episodes.kept())
    end = time.monotonic() + 60
    while job.state()["step"] not in ("done", "error"):
        assert time.monotonic() < end
        time.sleep(0.05)
    state = job.state()
    assert state["step"] == "done", state
    assert (state["bags"], state["kept"]) == (1, 1)
    assert len(RldsDataset.open(state["dataset"]).episode("train", 0)) > 5
    with pytest.raises(RefusedError, match="no conversion is at work"):
        job.end()
