# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla inspect` on bags: ours, the official recorder's, cut ones, and pictures of them."""

from __future__ import annotations

import json

import pytest
from synthetic_bag import SyntheticRobot, write_robot_bag
from synthetic_dataset import synthetic_episode, write_synthetic

from evla_ros.cli.main import main
from evla_ros.data.bag_summary import bag_episode, bag_text, describe_bag, is_bag
from evla_ros.embodiment import load_embodiment
from evla_ros.errors import EvlaError

SECOND = 1_000_000_000


@pytest.fixture(scope="module")
def robot():
    return SyntheticRobot(load_embodiment("tabletop_arm"), seconds=3.0)


def test_rates_gaps_and_delays_are_measured(robot, tmp_path):
    def cut(event):
        seconds = (event.stamp_ns - robot.start_ns) / SECOND
        return None if "wrist" in event.topic and 1.0 <= seconds < 2.0 else event

    found = describe_bag(write_robot_bag(tmp_path / "bag", robot, cut))
    assert found == json.loads(json.dumps(found))
    primary = found["topics"]["/camera/primary/image_raw"]
    wrist = found["topics"]["/camera/wrist/image_raw"]
    assert primary["rate_hz"] == pytest.approx(30.0, rel=0.01)
    assert primary["delay_s"] == pytest.approx(0.01, abs=1e-4)
    assert (primary["health"], wrist["health"]) == ("ok", "gaps")
    assert wrist["largest_gap_s"] == pytest.approx(1.033, abs=0.01)
    assert found["topics"]["/instruction"]["health"] == "few"
    assert found["episode"]["instruction"] == robot.instruction
    text = bag_text(found)
    assert "/camera/wrist/image_raw" in text
    assert "gaps" in text


def test_cut_bag_says_so(robot, tmp_path):
    bag = write_robot_bag(tmp_path / "bag", robot)
    file = next(bag.glob("*.mcap"))
    raw = file.read_bytes()
    file.write_bytes(raw[: len(raw) // 3])
    assert "damaged near byte" in bag_text(describe_bag(bag))


@pytest.mark.parametrize("name", ["talker_mcap", "talker_sqlite3"])
def test_official_bags(shared, name):
    found = describe_bag(shared / "data" / "rosbag2" / name)
    assert found["topics"]["/topic"]["messages"] == 10
    assert found["duration_s"] == pytest.approx(4.5, abs=0.1)
    with pytest.raises(EvlaError, match="no embodiment"):
        bag_episode(shared / "data" / "rosbag2" / name)


def test_episode_of_a_bag_has_pictures_even_where_the_converter_would_refuse(robot, tmp_path):
    from dataclasses import replace

    bag = write_robot_bag(tmp_path / "bag", replace(robot, instruction=""))
    episode = bag_episode(bag, 32)
    assert episode.image("image_primary", 3).shape == (32, 32, 3)
    assert is_bag(bag)
    assert not is_bag(tmp_path)


def test_command_line(robot, tmp_path, capsys):
    bag = write_robot_bag(tmp_path / "bag", robot)
    assert main(["inspect", str(bag), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "bag"
    sheet = tmp_path / "sheet.png"
    assert main(["inspect", str(bag), "--sheet", str(sheet)]) == 0
    assert sheet.stat().st_size > 1000


def test_folders_of_bags_and_of_datasets_are_told_apart(robot, tmp_path, capsys):
    for name in ("one", "two"):
        write_robot_bag(tmp_path / "bags" / name, robot)
    assert main(["inspect", str(tmp_path / "bags")]) == 2
    assert "is a folder of 2 bags: inspect one of them, like" in capsys.readouterr().err
    arm = load_embodiment("tabletop_arm")
    write_synthetic(tmp_path / "sets", [synthetic_episode(0, arm)], arm)
    assert main(["inspect", str(tmp_path / "sets")]) == 2
    assert "sets/my_robot" in capsys.readouterr().err


def test_absurd_delays_have_a_word_and_the_words_are_explained(robot, tmp_path, capsys):
    from restamped import write_restamped

    wrong = {
        "/camera/primary/image_raw": 3.17,
        "/camera/wrist/image_raw": -0.8,
        "/arm/target_pose": -1.7e9,
    }
    shifted = lambda topic, now: now + round(wrong.get(topic, 0.0) * SECOND)  # noqa: E731
    bag = write_restamped(tmp_path / "bag", robot, shifted)
    topics = describe_bag(bag)["topics"]
    words = {name: topic["health"] for name, topic in topics.items()}
    assert words["/camera/primary/image_raw"] == "ahead"
    assert words["/camera/wrist/image_raw"] == "late"
    assert words["/arm/target_pose"] == "clock"
    assert words["/arm/current_pose"] == "ok"
    assert main(["inspect", str(bag)]) == 0
    said = capsys.readouterr().out
    assert "-3170 ms  ahead" in said
    assert "800 ms  late" in said
    assert "(clock)  clock" in said
    assert "ahead: stamped before it was sent" in said
    assert "gaps:" not in said
    assert "would not keep it: camera:primary is stamped 3.17 s ahead" in said


def test_what_the_converter_would_do_is_said_per_stream(robot, tmp_path, capsys):
    def spoil(event):
        if event.topic == "/arm/target_pose":
            return None
        if event.topic == "/camera/wrist/image_raw":
            late = event.stamp_ns >= robot.start_ns + 2 * SECOND
            return event if late else None
        return event

    bag = write_robot_bag(tmp_path / "bag", robot, spoil)
    assert main(["inspect", str(bag), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["conversion"]
    uses = {one["stream"]: one["use"] for one in found["streams"]}
    assert uses["goal:arm"] == "is not there; not needed"
    assert "begins 2.0 s late" in uses["camera:wrist"]
    assert uses["gripper_command:arm"] == "its newest value at any age"
    assert "--action-source achieved" in found["refusal"]


def test_a_bag_of_another_recorder_is_looked_at_with_an_embodiment_file(robot, tmp_path, capsys):
    import yaml

    bag = write_robot_bag(tmp_path / "bag", robot)
    information = yaml.safe_load((bag / "metadata.yaml").read_text())
    information["rosbag2_bagfile_information"]["custom_data"] = None
    (bag / "metadata.yaml").write_text(yaml.safe_dump(information))
    sheet, video = tmp_path / "sheet.png", tmp_path / "clip.mp4"
    drawing = ["inspect", str(bag), "--sheet", str(sheet), "--video", str(video)]
    assert main(drawing) == 2
    assert "--embodiment NAME_OR_FILE" in capsys.readouterr().err
    assert main([*drawing, "--embodiment", "tabletop_arm"]) == 0
    assert sheet.stat().st_size > 1000
    assert video.stat().st_size > 1000
    assert "what evla convert would do with it" in capsys.readouterr().out
    assert main(["inspect", str(bag), "--embodiment", "no_such_robot"]) == 2
