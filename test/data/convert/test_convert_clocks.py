# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Recordings in which clocks differ, run at another rate, are set, or are wrong in one message."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from restamped import SECOND, write_restamped
from synthetic_bag import arm_pose

from evla_ros.data.clocks.steps import receive_steps
from evla_ros.data.convert.bag_job import convert_bag
from evla_ros.geometry.delta import delta_between

CAMERAS = ("/camera/primary/image_raw", "/camera/wrist/image_raw")
POSE, GOAL = "/arm/current_pose", "/arm/target_pose"
STAMPED = (*CAMERAS, POSE, GOAL)


@pytest.fixture(scope="module")
def longer(robot):
    return replace(robot, seconds=6.0, camera_hz=10.0, latency_s=0.0)


def shifted(topics, seconds):
    """Return the stamps of a recording in which some topics are on another clock."""
    return lambda topic, now: now + round(seconds * SECOND) if topic in topics else now


def largest_step(episode):
    return float(np.linalg.norm(episode.action[:, :3], axis=1).max())


def true_step(robot):
    """Return the longest true motion of a tick [m]."""
    times = np.arange(0.0, robot.seconds, 0.01)
    moves = [delta_between(arm_pose(0, 0, t), arm_pose(0, 0, t + 0.1)) for t in times]
    return float(np.linalg.norm(np.array(moves)[:, :3], axis=1).max())


@pytest.mark.parametrize(
    ("topics", "seconds", "said"),
    [
        ((CAMERAS[0],), 3.0, ["camera:primary is stamped 3.00 s ahead of"]),
        ((CAMERAS[1],), -3.0, ["camera:wrist is stamped 3.00 s behind"]),
        ((CAMERAS[1],), 0.3, ["camera:wrist is stamped 0.30 s ahead of"]),
        (CAMERAS, 0.7, ["camera:primary is stamped 0.70 s ahead", "camera:wrist is stamped 0.70"]),
        ((POSE,), 40.0, ["pose:arm is stamped 40.00 s ahead of"]),
        ((GOAL,), -0.8, ["goal:arm is stamped 0.80 s behind"]),
        ((POSE, CAMERAS[0]), -86400.0, ["pose:arm is stamped 86400.00 s behind"]),
    ],
)
def test_the_stream_on_another_clock_is_named_and_receive_times_help(
    longer, options, tmp_path, convert_one, topics, seconds, said
):
    bag = write_restamped(tmp_path / "bag", longer, shifted(topics, seconds))
    result = convert_bag(bag, options, tmp_path / "s")
    assert result.status == "dropped"
    for sentence in said:
        assert sentence in result.reason
    assert "--time receive" in result.reason
    episode, _ = convert_one(bag, replace(options, time="receive"), tmp_path)
    assert len(episode) == 59
    assert largest_step(episode) < 1.01 * true_step(longer)


@pytest.mark.parametrize("seconds", [0.0, 7.3, -0.4, 1e6, -1.69e9])
def test_a_robot_whose_clock_was_never_set(longer, options, tmp_path, convert_one, seconds):
    bag = write_restamped(tmp_path / "bag", longer, shifted(STAMPED, seconds))
    episode, result = convert_one(bag, options, tmp_path)
    assert len(episode) == 59
    assert result.notes == ()
    straight, _ = convert_one(write_restamped(tmp_path / "b", longer), options, tmp_path)
    np.testing.assert_allclose(episode.action, straight.action, atol=1e-6)
    np.testing.assert_allclose(
        episode.observations["state"], straight.observations["state"], atol=1e-6
    )


@pytest.mark.parametrize("seconds", [-0.05, -0.1, -0.3, -0.8, -1.0, -4.0, -3600.0, 0.4, 2.0])
@pytest.mark.parametrize("own", [False, True], ids=["robot", "everywhere"])
def test_a_clock_that_is_set_cuts_the_recording(
    longer, options, tmp_path, convert_one, seconds, own
):
    if own and seconds > 0:
        pytest.skip("a recorder's clock that is set forward looks like a pause")
    at = longer.start_ns + 2 * SECOND + 7_000_000

    def clock(_topic, now):
        return now if now < at else now + round(seconds * SECOND)

    receives = clock if own else (lambda _, now: now)
    bag = write_restamped(tmp_path / "bag", longer, clock, receives, as_sent=own)
    episode, result = convert_one(bag, options, tmp_path)
    assert 36 <= len(episode) <= 39
    assert largest_step(episode) < 1.01 * true_step(longer)
    assert result.lost_share > 0.3
    assert any("set" in note and "cut there" in note for note in result.notes)
    assert "--on-gap split keeps all 2 parts" in result.loss
    parts, _ = convert_one(bag, replace(options, on_gap="split"), tmp_path / "split")
    assert [len(part) for part in parts] == [len(parts[0]), len(episode)]
    assert len(parts[0]) >= 18


def test_one_stream_whose_clock_is_set_back_is_named(longer, options, tmp_path):
    at = longer.start_ns + 2 * SECOND

    def clock(topic, now):
        return now - SECOND * 3 // 10 if topic == POSE and now >= at else now

    result = convert_bag(write_restamped(tmp_path / "bag", longer, clock), options, tmp_path / "s")
    assert "the clock of pose:arm jumps back by 0.30 s while those of other streams go on" in (
        result.reason
    )


@pytest.mark.parametrize("rate", [0.5, 0.9, 0.95, 1.5])
def test_simulated_time_that_runs_at_another_rate(longer, options, tmp_path, convert_one, rate):
    start, wall = longer.start_ns, 1_750_000_000 * SECOND

    def simulated(_topic, now):
        return 10 * SECOND + now - start

    def received(_topic, now):
        return wall + round((now - start) / rate)

    bag = write_restamped(tmp_path / "bag", longer, simulated, received)
    episode, result = convert_one(bag, options, tmp_path)
    assert len(episode) == 59
    assert f"header stamps run at {rate:.2f} of the recorder's clock" in "".join(result.notes)
    closed = np.flatnonzero(episode.action[:, 6] == 0.0)
    np.testing.assert_allclose([closed[0], closed[-1]], [19, 38], atol=1)  # 2.0 s to 4.0 s
    measured = np.flatnonzero(episode.observations["state"][:, 7] == 0.0)
    np.testing.assert_allclose([measured[0], measured[-1]], [21, 40], atol=1)


def test_a_simulation_that_slows_down_and_pauses(longer, options, tmp_path, convert_one):
    start, wall = longer.start_ns, 1_750_000_000 * SECOND

    def received(_topic, now):
        real = now - start
        late = real if real < SECOND else SECOND + 3 * (real - SECOND)
        return wall + (late if real < 3 * SECOND else 12 * SECOND + real - 3 * SECOND)

    bag = write_restamped(tmp_path / "bag", longer, lambda _, now: now - start + 1, received)
    episode, _ = convert_one(bag, options, tmp_path)
    assert len(episode) == 59
    closed = np.flatnonzero(episode.action[:, 6] == 0.0)
    np.testing.assert_allclose([closed[0], closed[-1]], [19, 38], atol=1)


def one_stamp(topic, number, shift_s):
    """Return stamps of which one is wrong: the one of the n-th message of a topic."""
    seen = {}

    def stamps(name, now):
        seen[name] = seen.get(name, -1) + 1
        wrong = name == topic and seen[name] == number
        return now + round(shift_s * SECOND) if wrong else now

    return stamps


@pytest.mark.parametrize("topic", [POSE, GOAL, CAMERAS[0]])
@pytest.mark.parametrize(("number", "shift_s"), [(0, -30), (0, -0.9), (25, -30), (25, 2.0)])
def test_one_wrong_stamp_costs_one_message(
    longer, options, tmp_path, convert_one, topic, number, shift_s
):
    bag = write_restamped(tmp_path / "bag", longer, one_stamp(topic, number, shift_s))
    episode, result = convert_one(bag, options, tmp_path)
    assert len(episode) >= 58
    (note,) = result.notes
    assert "1 message(s) with a header stamp that fits no other dropped" in note
    # Where the first goal is missing, the measured pose stands in for it.
    assert largest_step(episode) < (1.6 if (topic, number) == (GOAL, 0) else 1.1) * true_step(
        longer
    )


def test_several_old_messages_at_the_start_are_dropped(longer, options, tmp_path, convert_one):
    seen = []

    def stamps(topic, now):
        if topic != GOAL or len(seen) == 3:
            return now
        seen.append(now)
        return now - (33 - len(seen)) * SECOND

    episode, result = convert_one(
        write_restamped(tmp_path / "bag", longer, stamps), options, tmp_path
    )
    assert len(episode) >= 58
    assert result.notes == (
        "goal:arm: 3 message(s) with a header stamp that fits no other dropped",
    )


def test_pictures_of_a_slow_link_are_as_old_as_they_are(longer, options, tmp_path, convert_one):
    late = lambda topic, now: now + (SECOND * 3 // 10 if topic in CAMERAS else 0)  # noqa: E731
    bag = write_restamped(tmp_path / "bag", longer, receives=late)
    episode, result = convert_one(bag, options, tmp_path)
    assert (len(episode), result.notes) == (59, ())
    straight, _ = convert_one(write_restamped(tmp_path / "b", longer), options, tmp_path)
    np.testing.assert_array_equal(episode.action, straight.action)


@pytest.mark.parametrize("spread_ms", [10, 60])
def test_a_link_that_delays_and_reorders_everything_is_no_clock(
    longer, options, tmp_path, convert_one, spread_ms
):
    random = np.random.default_rng(0)
    late = lambda _, now: now + int(random.exponential(spread_ms * 1e6))  # noqa: E731
    bag = write_restamped(tmp_path / "bag", longer, receives=late)
    episode, result = convert_one(bag, options, tmp_path)
    assert len(episode) >= 58
    assert not [note for note in result.notes if "clock" in note]
    assert largest_step(episode) < 1.1 * true_step(longer)


def test_a_simulation_that_starts_at_zero(longer, options, tmp_path, convert_one):
    bag = write_restamped(tmp_path / "bag", longer, lambda _, now: now - longer.start_ns)
    episode, result = convert_one(bag, options, tmp_path)
    assert len(episode) == 58
    assert len(result.notes) == 4
    assert all("1 message(s) with a header stamp of 0 dropped" in note for note in result.notes)


def test_a_driver_that_stamps_nothing_is_placed_by_receive_times(
    longer, options, tmp_path, convert_one
):
    bag = write_restamped(
        tmp_path / "bag", longer, lambda topic, now: 0 if topic == CAMERAS[1] else now
    )
    episode, result = convert_one(bag, options, tmp_path)
    assert len(episode) == 59
    assert result.notes == (
        "camera:wrist has no header stamps (all are 0): it is placed by its receive times",
    )


@pytest.mark.parametrize("camera_hz", [10.0, 16.0])
@pytest.mark.parametrize("stalls", [((3.0, 3.4),), ((0.68, 0.96),), ((1.0, 1.3), (4.0, 4.45))])
def test_delays_of_single_messages_and_stalls_are_no_clocks(
    longer, options, tmp_path, convert_one, stalls, camera_hz
):
    start = longer.start_ns

    def received(topic, now):
        since = (now - start) / SECOND
        if topic == POSE and 2.0 <= since < 2.02:
            return now + SECOND // 3  # one late message
        for first, last in stalls:
            if first <= since < last:  # the network or the recorder stalls, then all comes at once
                return start + round(last * SECOND)
        return now + 5_000_000

    robot = replace(longer, camera_hz=camera_hz)
    bag = write_restamped(tmp_path / "bag", robot, receives=received)
    episode, result = convert_one(bag, options, tmp_path)
    assert (len(episode), result.notes) == (59, ())


def test_a_busy_recorder_that_empties_queue_after_queue_sets_no_clock_back():
    """Each topic's messages in order, but those of one topic after newer ones of another."""
    every = [(k * 20_000_000 + t * 1_000_000, t) for k in range(200) for t in range(4)]
    late = [(stamp, t) for stamp, t in every]
    for start in (100, 500):  # eight ticks of topic 2, 160 ms, come at the end of a block
        block = late[start : start + 32]
        late[start : start + 32] = sorted(block, key=lambda one: one[1] == 2)
    receive, topic = (np.array(column) for column in zip(*late, strict=True))
    assert (np.diff(receive) < -100_000_000).any()
    assert receive_steps(np.arange(len(late)), receive, topic) == []
    back = np.where(np.arange(len(every)) < 400, 0, -300_000_000)
    receive, topic = (np.array(column) for column in zip(*every, strict=True))
    assert receive_steps(np.arange(len(every)), receive + back, topic) == [400]
