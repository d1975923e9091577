# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One bag to one episode: its values against the invented robot's truth, and its labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic_bag import Event, SyntheticRobot, arm_pose, write_robot_bag

from evla_ros.data.bags import encode
from evla_ros.data.bags.reader import open_bag
from evla_ros.data.codecs.camera import rgb_from_cdr
from evla_ros.data.convert.bag_job import convert_bag
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.image_jpeg import decode_rgb
from evla_ros.data.image_resize import resize_rgb
from evla_ros.data.messages import header_stamp_ns
from evla_ros.data.rlds.staging import staged_path
from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.embodiment.streams import IMAGE
from evla_ros.geometry.delta import delta_between

SECOND = 1_000_000_000
EVENT = "evla_ros/msg/EpisodeEvent"


def test_commanded_actions_are_the_goal_changes_over_each_tick(
    robot, options, tmp_path, convert_one, times
):
    bag = write_robot_bag(tmp_path / "bag", robot)
    episode, result = convert_one(bag, options, tmp_path)
    assert len(episode) == result.steps == 29  # ticks 0.0 to 2.9 s; the last has no action
    for time_s, action in zip(times(episode, robot), episode.action, strict=True):
        truth = delta_between(arm_pose(0, 0, time_s), arm_pose(0, 0, time_s + 0.1))
        np.testing.assert_allclose(action[:6], truth, atol=2e-6)
    np.testing.assert_allclose(np.diff(times(episode, robot)), 0.1, atol=1e-9)
    closed = (times(episode, robot) + 0.1 >= 1.0) & (times(episode, robot) + 0.1 < 2.0)
    np.testing.assert_array_equal(episode.action[:, 6], np.where(closed, 0.0, 1.0))


def test_achieved_actions_and_state_are_the_measured_poses(
    robot, options, tmp_path, convert_one, times
):
    bag = write_robot_bag(tmp_path / "bag", robot)
    episode, _ = convert_one(bag, replace(options, source="achieved"), tmp_path)
    for time_s, action, state in zip(
        times(episode, robot), episode.action, episode.observations["state"], strict=True
    ):
        now = arm_pose(0, 0, time_s - robot.lag_s)
        truth = delta_between(now, arm_pose(0, 0, time_s - robot.lag_s + 0.1))
        np.testing.assert_allclose(action[:6], truth, atol=2e-6)
        np.testing.assert_allclose(state[:7], now.as_vector(), atol=1e-6)
    assert set(np.unique(episode.observations["state"][:, 7])) == {0.0, 1.0}


def test_every_picture_is_the_newest_one_before_its_tick(robot, options, tmp_path, convert_one):
    bag = write_robot_bag(tmp_path / "bag", robot)
    episode, _ = convert_one(bag, options, tmp_path)
    with open_bag(bag) as opened:
        topic = "/" + robot.embodiment.cameras["primary"].topic
        raw = {header_stamp_ns(m.data): m.data for m in opened.messages({topic})}
    for index, stamp in enumerate(episode.columns["stamp_ns"]):
        newest = max(s for s in raw if s <= stamp)
        expected = resize_rgb(rgb_from_cdr(raw[newest], IMAGE), options.image_size)
        shown = decode_rgb(episode.images["image_primary"][index])
        assert np.abs(expected.astype(int) - shown).mean() < 8  # JPEG of noise
        age = episode.columns["age_s"][index][0]
        assert age == pytest.approx((stamp - newest) / SECOND, abs=1e-6)


def test_flags_metadata_and_language(robot, options, tmp_path, convert_one):
    bag = write_robot_bag(tmp_path / "bag", robot, operator="ada")
    episode, _ = convert_one(bag, options, tmp_path)
    last = np.arange(len(episode)) == len(episode) - 1
    np.testing.assert_array_equal(episode.columns["is_terminal"], last)
    np.testing.assert_array_equal(episode.columns["reward"], last.astype(np.float32))
    assert set(episode.instructions) == {robot.instruction}
    meta = episode.metadata
    assert (meta["operator"], meta["outcome"], meta["success"]) == ("ada", "success", True)
    assert meta["bag"] == "bag"
    assert meta["action_source"] == "commanded"
    assert meta["embodiment_hash"] == robot.embodiment.content_hash


@pytest.mark.parametrize(
    ("outcome", "unlabelled", "success", "terminal"),
    [
        ("success", "success", True, True),
        ("failure", "success", False, False),
        ("unknown", "success", True, False),
        ("unknown", "failure", False, False),
    ],
)
def test_outcome_decides_success_reward_and_terminal(
    robot, options, tmp_path, outcome, unlabelled, success, terminal, convert_one
):
    bag = write_robot_bag(tmp_path / "bag", replace(robot, outcome=outcome))
    episode, _ = convert_one(bag, replace(options, unlabelled=unlabelled), tmp_path)
    assert episode.metadata["success"] is success
    assert bool(episode.columns["is_terminal"][-1]) is terminal
    assert episode.columns["reward"][-1] == float(outcome == "success")


def test_two_arms_and_three_cameras(options, tmp_path, convert_one, times):
    body = load_embodiment("humanoid_upper_body")
    robot = SyntheticRobot(body, seconds=2.0, camera_hz=15.0)
    bag = write_robot_bag(tmp_path / "bag", robot)
    both = replace(options, embodiment_text=body.text)
    episode, _ = convert_one(bag, both, tmp_path)
    assert episode.action.shape[1] == 14
    assert episode.observations["state"].shape[1] == 16
    assert sorted(episode.images) == ["image_left_wrist", "image_primary", "image_right_wrist"]
    time_s = times(episode, robot)[3]
    for arm in range(2):
        truth = delta_between(arm_pose(0, arm, time_s), arm_pose(0, arm, time_s + 0.1))
        np.testing.assert_allclose(episode.action[3][7 * arm : 7 * arm + 6], truth, atol=2e-6)


def test_compressed_cameras_and_namespaces(robot, options, tmp_path, convert_one):
    text = robot.embodiment.text.replace("transport: raw", "transport: compressed")
    other = replace(robot, embodiment=parse_embodiment(text, source="test"))
    bag = write_robot_bag(tmp_path / "bag", other, lambda e: e._replace(topic="/robot1" + e.topic))
    episode, _ = convert_one(bag, replace(options, embodiment_text=text), tmp_path)
    assert len(episode) == 29


def test_last_action_can_be_neutral_instead_of_dropped(robot, options, tmp_path, convert_one):
    bag = write_robot_bag(tmp_path / "bag", robot)
    episode, _ = convert_one(bag, replace(options, last_action="neutral"), tmp_path)
    assert len(episode) == 30
    np.testing.assert_array_equal(episode.action[-1], [0, 0, 0, 0, 0, 0, 1])


def test_interventions_from_events_flag_their_steps(robot, options, tmp_path, convert_one, times):
    def event(time_s, kind):
        stamp = robot.start_ns + round(time_s * SECOND)
        data = encode.encode_episode_event(stamp, "base_link", "e", kind, outcome=1)
        return Event(stamp, "/recorder/episode_event", EVENT, data)

    extra = [event(0.5, 6), event(1.0, 7), event(2.0, 6)]
    bag = write_robot_bag(tmp_path / "bag", robot, lambda e: e, extra, outcome="")
    episode, _ = convert_one(bag, options, tmp_path)
    t = times(episode, robot)
    expected = ((t >= 0.5) & (t < 1.0)) | (t >= 2.0)
    np.testing.assert_array_equal(episode.columns["intervention"], expected)
    assert episode.metadata["interventions"] == 2
    assert episode.metadata["outcome"] == "success"


def test_receive_time_and_simulated_clock_give_the_same_motion(
    robot, options, tmp_path, convert_one
):
    simulated = replace(robot, start_ns=5 * SECOND, latency_s=1_700_000_000.0)
    bag = write_robot_bag(tmp_path / "sim", simulated)
    plain, _ = convert_one(write_robot_bag(tmp_path / "bag", robot), options, tmp_path)
    moved, _ = convert_one(bag, options, tmp_path / "x")
    np.testing.assert_allclose(moved.action, plain.action, atol=1e-5)
    received, _ = convert_one(bag, replace(options, time="receive"), tmp_path / "y")
    assert abs(len(received) - len(plain)) <= 1


@pytest.mark.parametrize("source", ["sqlite3", "mcap"])
def test_bags_of_another_writer_convert_to_the_same_bytes(robot, options, tmp_path, source):
    from rosbags.rosbag2 import StoragePlugin, Writer

    from evla_ros.data.bags.definitions import typestore

    ours = write_robot_bag(tmp_path / "a" / "bag", robot)
    plugin = StoragePlugin.SQLITE3 if source == "sqlite3" else StoragePlugin.MCAP
    theirs = tmp_path / "b" / "bag"
    theirs.parent.mkdir()
    with open_bag(ours) as bag, Writer(theirs, version=9, storage_plugin=plugin) as writer:
        for key, value in bag.info.custom_data.items():
            writer.set_custom_data(key, value)
        connections = {
            t.name: writer.add_connection(t.name, t.type, typestore=typestore())
            for t in bag.info.topics.values()
        }
        for message in bag.messages():
            writer.write(connections[message.topic], message.receive_ns, message.data)
    first = convert_bag(ours, options, tmp_path / "one")
    second = convert_bag(theirs, options, tmp_path / "two")
    assert second.episode_ids == first.episode_ids
    name = first.episode_ids[0]
    one, two = (staged_path(tmp_path / n, name).read_bytes() for n in ("one", "two"))
    assert one == two


def test_fingerprint_follows_options_and_embodiment_content_only(options):
    other = ConvertOptions(options.embodiment_text + "\n# comment\n", options.image_size)
    assert replace(other, idle="keep").fingerprint() == options.fingerprint()
    assert replace(options, idle="all").fingerprint() != options.fingerprint()
