# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The film shows what happened: the robot where it was, the words, and at the end the verdict."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("mujoco", reason="the simulator is not installed")
pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("av", reason="PyAV is not installed")

import av

from evla_ros.demo.episode import Outcome
from evla_ros.demo.film import AFTER_S, BEFORE_S, END_S, film
from evla_ros.errors import EvlaError
from evla_ros.sim.position_log import LOG_HZ, PositionLog, read_positions
from evla_ros.sim.worlds import make_world


def outcome(success, episode=1):
    return Outcome("lift the red block", success, 0.5, 50.0, 1.0, 20.0, 0, "", 3, episode, 0.4)


@pytest.fixture(scope="module")
def log(tmp_path_factory):
    """Write two episodes of 2 s; the first joint turns in the second one."""
    world, kept = make_world("tabletop_arm"), PositionLog()
    world.reset(3, "lift the red block")
    for episode in (1, 2):
        for tick in range(20):
            positions = world.data.qpos.copy()
            positions[0] += 0.05 * tick * (episode == 2)
            kept.add(episode, tick / LOG_HZ, positions)
    world.close()
    path = tmp_path_factory.mktemp("log") / "positions.npz"
    kept.write(path)
    return path


def frames_of(path):
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_both_episodes_are_in_it_from_start_to_verdict(log, tmp_path):
    said = []
    path = tmp_path / "film.mp4"
    count = film(path, "tabletop_arm", log, [outcome(True), outcome(False, 2)], said.append)
    frames = frames_of(path)
    shown = round((BEFORE_S + 0.5 + AFTER_S) * LOG_HZ) + 1 + round(END_S * LOG_HZ) - 1
    assert count == len(frames)
    assert abs(count - 2 * shown) <= 4
    assert frames[0].shape[0] >= 480
    assert said == ["  drawing the film: 1 of 2", "  drawing the film: 2 of 2"]
    arm = [frame[:432, :576].astype(int) for frame in frames]
    assert np.abs(arm[count // 2 - 1] - arm[0]).mean() < 1.0, "the first episode stood still"
    assert np.abs(arm[-1] - arm[count // 2]).mean() > 1.0, "the second one moved"


def colour_of(frame):
    """Return the mean colour of the small line's bright pixels."""
    line = frame[462:484, 8:200].reshape(-1, 3).astype(int)
    return line[line.max(axis=1) > 120].mean(axis=0)


def test_the_verdict_is_green_or_not(log, tmp_path):
    ends = []
    for success in (True, False):
        path = tmp_path / f"{success}.mp4"
        film(path, "tabletop_arm", log, [outcome(success)], lambda _: None)
        ends.append(colour_of(frames_of(path)[-1]))
    solved, failed = ends
    assert solved[1] > solved[0] + 20, "green"
    assert failed[0] > failed[1] + 20, "orange"


def test_what_was_kept_is_read_back_by_episode(log, tmp_path):
    times, rows = read_positions(log, 2)
    assert len(times) == len(rows) == 20
    assert rows[-1][0] - rows[0][0] == pytest.approx(0.95)
    with pytest.raises(EvlaError, match="left no positions"):
        read_positions(tmp_path / "none.npz", 1)
