# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One bag to one episode: values against the invented robot's truth, gaps, gates, labels."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from evla_ros.bench.synthetic_bag import Event, SyntheticRobot, arm_pose, write_robot_bag
from evla_ros.data.alignment.observation import camera_image
from evla_ros.data.bags import encode
from evla_ros.data.bags.reader import open_bag
from evla_ros.data.convert.bag_job import convert_bag
from evla_ros.data.convert.dataset_features import bag_features
from evla_ros.data.convert.gates import GATES
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.image_jpeg import decode_rgb
from evla_ros.data.messages import header_stamp_ns
from evla_ros.data.rlds.episode_decode import decode_episode
from evla_ros.data.rlds.staging import read_staged, staged_path
from evla_ros.embodiment import load_embodiment
from evla_ros.geometry.delta import delta_between
from evla_ros.geometry.pose import Pose

SECOND = 1_000_000_000
EVENT = "evla_ros/msg/EpisodeEvent"


def convert_one(path, options, tmp_path):
    result = convert_bag(path, options, tmp_path / "staging")
    assert result.status == "kept", result.reason
    features = bag_features(options.embodiment(), options.image_size)
    episodes = []
    for name in result.episode_ids:
        _, payload, _ = read_staged(staged_path(tmp_path / "staging", name))
        episodes.append(decode_episode(memoryview(payload), features))
    return (episodes[0] if len(episodes) == 1 else episodes), result


def times(episode, robot):
    """When the sample that a tick holds was taken: poses and goals come at 50 Hz."""
    return np.floor((episode.columns["stamp_ns"] - robot.start_ns) / SECOND * 50 + 1e-6) / 50


def test_commanded_actions_are_the_goal_changes_over_each_tick(robot, options, tmp_path):
    bag = write_robot_bag(tmp_path / "bag", robot)
    episode, result = convert_one(bag, options, tmp_path)
    assert len(episode) == result.steps == 29  # ticks 0.0 to 2.9 s; the last has no action
    for time_s, action in zip(times(episode, robot), episode.action, strict=True):
        truth = delta_between(arm_pose(0, 0, time_s), arm_pose(0, 0, time_s + 0.1))
        np.testing.assert_allclose(action[:6], truth, atol=2e-6)
    np.testing.assert_allclose(np.diff(times(episode, robot)), 0.1, atol=1e-9)
    closed = (times(episode, robot) + 0.1 >= 1.0) & (times(episode, robot) + 0.1 < 2.0)
    np.testing.assert_array_equal(episode.action[:, 6], np.where(closed, 0.0, 1.0))


def test_achieved_actions_and_state_are_the_measured_poses(robot, options, tmp_path):
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


def test_every_picture_is_the_newest_one_before_its_tick(robot, options, tmp_path):
    bag = write_robot_bag(tmp_path / "bag", robot)
    episode, _ = convert_one(bag, options, tmp_path)
    with open_bag(bag) as opened:
        topic = "/" + robot.embodiment.cameras["primary"].topic
        raw = {header_stamp_ns(m.data): m.data for m in opened.messages({topic})}
    for index, stamp in enumerate(episode.columns["stamp_ns"]):
        newest = max(s for s in raw if s <= stamp)
        expected = camera_image(raw[newest], "raw", options.image_size)
        shown = decode_rgb(episode.images["image_primary"][index])
        assert np.abs(expected.astype(int) - shown).mean() < 8  # JPEG of noise
        age = episode.columns["age_s"][index][0]
        assert age == pytest.approx((stamp - newest) / SECOND, abs=1e-6)


def test_flags_metadata_and_language(robot, options, tmp_path):
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
    robot, options, tmp_path, outcome, unlabelled, success, terminal
):
    bag = write_robot_bag(tmp_path / "bag", replace(robot, outcome=outcome))
    episode, _ = convert_one(bag, replace(options, unlabelled=unlabelled), tmp_path)
    assert episode.metadata["success"] is success
    assert bool(episode.columns["is_terminal"][-1]) is terminal
    assert episode.columns["reward"][-1] == float(outcome == "success")


def test_two_arms_and_three_cameras(options, tmp_path):
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


def test_compressed_cameras_and_namespaces(robot, options, tmp_path):
    text = robot.embodiment.text.replace("transport: raw", "transport: compressed")
    from evla_ros.embodiment import parse_embodiment

    other = replace(robot, embodiment=parse_embodiment(text, source="test"))
    bag = write_robot_bag(tmp_path / "bag", other, lambda e: e._replace(topic="/robot1" + e.topic))
    episode, _ = convert_one(bag, replace(options, embodiment_text=text), tmp_path)
    assert len(episode) == 29


def cut_camera(robot, start_s, stop_s):
    topic = "/" + robot.embodiment.cameras["primary"].topic

    def change(event):
        inside = start_s <= (event.stamp_ns - robot.start_ns) / SECOND < stop_s
        return None if event.topic == topic and inside else event

    return change


@pytest.mark.parametrize(("mode", "lengths"), [("longest", [23]), ("split", [7, 23])])
def test_gap_is_cut_out_and_counted(robot, options, tmp_path, mode, lengths):
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


def pose_event(event, pose):
    return event._replace(data=encode.encode_pose(event.stamp_ns, "base_link", pose))


def nan_pose(event):
    data = bytearray(event.data)
    data[-8:] = np.array([np.nan]).tobytes()
    return event._replace(data=bytes(data))


def black(event):
    pixels = np.zeros((48, 64, 3), np.uint8)
    return event._replace(data=encode.encode_image(event.stamp_ns, "c", pixels))


def grey(event):
    pixels = np.full((48, 64, 3), 120, np.uint8)
    return event._replace(data=encode.encode_image(event.stamp_ns, "c", pixels))


def small_later(event):
    size = (48, 64, 3) if event.stamp_ns % SECOND < SECOND // 2 else (24, 32, 3)
    pixels = np.random.default_rng(event.stamp_ns % 999).integers(30, 200, size, dtype=np.uint8)
    return event._replace(data=encode.encode_image(event.stamp_ns, "c", pixels))


def only(topic, fault, event):
    return fault(event) if event.topic == topic else event


STILL = Pose(np.array([0.4, 0.0, 0.3]), np.array([0.0, 0.0, 0.0, 1.0]))
FAULTS = {
    "nan": ("arm/current_pose", nan_pose, "finite"),
    "frame": (
        "arm/current_pose",
        lambda e: e._replace(data=encode.encode_pose(e.stamp_ns, "map", STILL)),
        "frame",
    ),
    "black": ("camera/wrist/image_raw", black, "black"),
    "frozen": ("camera/wrist/image_raw", grey, "frozen"),
    "size": ("camera/wrist/image_raw", small_later, "size"),
    "still": ("arm/current_pose", lambda e: pose_event(e, STILL), "constant"),
    "goals": ("arm/target_pose", lambda e: pose_event(e, STILL), "constant"),
    "gripper": (
        "arm/gripper/state",
        lambda e: e._replace(data=encode.encode_float64(float("nan"))),
        "finite",
    ),
}


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_gate_drops_the_bag_before_anything_is_written(robot, options, tmp_path, name):
    topic, fault, gate = FAULTS[name]
    change = partial(only, "/" + topic, fault)
    bag = write_robot_bag(tmp_path / "bag", robot, change)
    result = convert_bag(bag, options, tmp_path / "staging")
    assert result.status == "dropped"
    assert f"gate {gate!r}" in result.reason
    assert not list((tmp_path / "staging").glob("*")) if (tmp_path / "staging").exists() else True


def test_allowed_gate_lets_the_bag_through(robot, options, tmp_path):
    change = FAULTS["black"][1]
    bag = write_robot_bag(tmp_path / "bag", robot, lambda e: change(e) if "wrist" in e.topic else e)
    allowing = replace(options, allow=("black", "frozen"))
    assert convert_bag(bag, allowing, tmp_path / "s").status == "kept"
    assert {FAULTS[n][2] for n in FAULTS} <= set(GATES)


def test_empty_language_is_refused_and_can_be_given(robot, options, tmp_path):
    bag = write_robot_bag(tmp_path / "bag", replace(robot, instruction=" "))
    result = convert_bag(bag, options, tmp_path / "s")
    assert "gate 'language'" in result.reason
    episode, _ = convert_one(bag, replace(options, instruction="wave"), tmp_path)
    assert set(episode.instructions) == {"wave"}


def test_missing_topic_is_named_with_the_nearest(robot, options, tmp_path):
    bag = write_robot_bag(
        tmp_path / "bag",
        robot,
        lambda e: e._replace(topic="/arm/targetpose") if "target" in e.topic else e,
    )
    result = convert_bag(bag, options, tmp_path / "s")
    assert "arm/target_pose" in result.reason
    assert "/arm/targetpose" in result.reason
    assert convert_bag(bag, replace(options, source="achieved"), tmp_path / "s").status == "kept"


def test_another_embodiment_inside_the_bag_is_refused_with_the_difference(robot, options, tmp_path):
    text = robot.embodiment.text.replace("chunk: 8", "chunk: 4")
    bag = write_robot_bag(tmp_path / "bag", robot)
    result = convert_bag(bag, replace(options, embodiment_text=text), tmp_path / "s")
    assert "action.chunk" in result.reason


def test_idle_steps_go_and_the_rest_is_untouched(robot, options, tmp_path):
    still = {}

    def pause(event):
        if event.topic[1:] not in ("arm/current_pose", "arm/target_pose"):
            return event
        time_s = (event.stamp_ns - robot.start_ns) / SECOND
        if time_s <= 2.0:
            still[event.topic] = event.data
            return event
        pose = arm_pose(0, 0, 2.0)
        return pose_event(event, pose)

    bag = write_robot_bag(tmp_path / "bag", robot, pause)
    kept, _ = convert_one(bag, options, tmp_path)
    trimmed, _ = convert_one(bag, replace(options, idle="all"), tmp_path / "b")
    assert len(kept) == 29
    assert len(trimmed) == 21
    assert trimmed.metadata["idle_steps"] == 8
    np.testing.assert_array_equal(trimmed.action, kept.action[:21])


def test_last_action_can_be_neutral_instead_of_dropped(robot, options, tmp_path):
    bag = write_robot_bag(tmp_path / "bag", robot)
    episode, _ = convert_one(bag, replace(options, last_action="neutral"), tmp_path)
    assert len(episode) == 30
    np.testing.assert_array_equal(episode.action[-1], [0, 0, 0, 0, 0, 0, 1])


def test_interventions_from_events_flag_their_steps(robot, options, tmp_path):
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


def test_receive_time_and_simulated_clock_give_the_same_motion(robot, options, tmp_path):
    simulated = replace(robot, start_ns=5 * SECOND, latency_s=1_700_000_000.0)
    bag = write_robot_bag(tmp_path / "sim", simulated)
    plain, _ = convert_one(write_robot_bag(tmp_path / "bag", robot), options, tmp_path)
    moved, _ = convert_one(bag, options, tmp_path / "x")
    np.testing.assert_allclose(moved.action, plain.action, atol=1e-5)
    received, _ = convert_one(bag, replace(options, time="receive"), tmp_path / "y")
    assert abs(len(received) - len(plain)) <= 1


def test_truncated_bag_is_salvaged_flagged_and_not_terminal(robot, options, tmp_path):
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


def test_corrupt_bag_is_quarantined_with_a_reason(robot, options, tmp_path):
    bag = write_robot_bag(tmp_path / "bag", robot)
    file = next(bag.glob("*.mcap"))
    raw = bytearray(file.read_bytes())
    raw[len(raw) // 2] ^= 0xFF
    file.write_bytes(raw)
    result = convert_bag(bag, options, tmp_path / "s")
    assert result.status == "quarantined"
    assert "checksum" in result.reason.lower()


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


def test_bag_of_the_official_recorder_without_our_topics_is_dropped_with_their_names(
    shared, options, tmp_path
):
    result = convert_bag(shared / "data" / "rosbag2" / "talker_mcap", options, tmp_path / "s")
    assert result.status == "dropped"
    assert "camera/primary/image_raw" in result.reason


def test_clock_jump_is_a_reason(robot, options, tmp_path):
    def jump(event):
        if event.topic[1:] == "arm/current_pose" and event.stamp_ns > robot.start_ns + 2 * SECOND:
            old = arm_pose(0, 0, 1.0)
            return event._replace(data=encode.encode_pose(robot.start_ns, "base_link", old))
        return event

    result = convert_bag(write_robot_bag(tmp_path / "bag", robot, jump), options, tmp_path / "s")
    assert "jumps back" in result.reason


def test_fingerprint_follows_options_and_embodiment_content_only(options):
    other = ConvertOptions(options.embodiment_text + "\n# comment\n", options.image_size)
    assert replace(other, idle="keep").fingerprint() == options.fingerprint()
    assert replace(options, idle="all").fingerprint() != options.fingerprint()
