# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is left out of an episode: gaps, idle steps, and what lies behind a damage."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic_bag import arm_pose, write_robot_bag

from evla_ros.data.bags import encode
from evla_ros.data.convert.bag_job import convert_bag

SECOND = 1_000_000_000


def cut_camera(robot, start_s, stop_s):
    topic = "/" + robot.embodiment.cameras["primary"].topic

    def change(event):
        inside = start_s <= (event.stamp_ns - robot.start_ns) / SECOND < stop_s
        return None if event.topic == topic and inside else event

    return change


@pytest.mark.parametrize(("mode", "lengths"), [("longest", [23]), ("split", [7, 23])])
def test_gap_is_cut_out_and_counted(robot, options, tmp_path, mode, lengths, convert_one):
    longer = replace(robot, seconds=4.0)
    bag = write_robot_bag(tmp_path / "bag", longer, cut_camera(longer, 0.3, 1.5))
    got, result = convert_one(bag, replace(options, on_gap=mode), tmp_path)
    episodes = got if isinstance(got, list) else [got]
    assert [len(e) for e in episodes] == lengths
    assert result.lost_ticks == 8
    for episode in episodes:
        assert episode.metadata["gaps"] == 1
        assert episode.columns["age_s"].max() <= 0.5
        assert np.diff(episode.columns["stamp_ns"]).max() == SECOND // 10
    terminal = [bool(episode.columns["is_terminal"][-1]) for episode in episodes]
    assert terminal == [False] * (len(episodes) - 1) + [True]


def test_gap_can_reject_the_bag(robot, options, tmp_path):
    bag = write_robot_bag(tmp_path / "bag", robot, cut_camera(robot, 0.5, 1.7))
    result = convert_bag(bag, replace(options, on_gap="reject"), tmp_path / "s")
    assert result.status == "dropped"
    assert "camera:primary" in result.reason


def test_idle_steps_go_and_the_rest_is_untouched(robot, options, tmp_path, convert_one):
    still = {}

    def pause(event):
        if event.topic[1:] not in ("arm/current_pose", "arm/target_pose"):
            return event
        time_s = (event.stamp_ns - robot.start_ns) / SECOND
        if time_s <= 2.0:
            still[event.topic] = event.data
            return event
        return event._replace(
            data=encode.encode_pose(event.stamp_ns, "base_link", arm_pose(0, 0, 2.0))
        )

    bag = write_robot_bag(tmp_path / "bag", robot, pause)
    kept, _ = convert_one(bag, options, tmp_path)
    trimmed, _ = convert_one(bag, replace(options, idle="all"), tmp_path / "b")
    assert len(kept) == 29
    assert len(trimmed) == 21
    assert trimmed.metadata["idle_steps"] == 8
    np.testing.assert_array_equal(trimmed.action, kept.action[:21])


def test_truncated_bag_is_salvaged_flagged_and_not_terminal(robot, options, tmp_path, convert_one):
    bag = write_robot_bag(tmp_path / "bag", robot)
    file = next(bag.glob("*.mcap"))
    raw = file.read_bytes()
    file.write_bytes(raw[: len(raw) // 2])
    episode, result = convert_one(bag, options, tmp_path)
    assert 10 <= len(episode) <= 15
    assert "damaged near byte" in result.damage
    assert episode.metadata["damage"] == result.damage
    assert not episode.columns["is_terminal"].any()
    assert episode.metadata["outcome"] == "unknown"
