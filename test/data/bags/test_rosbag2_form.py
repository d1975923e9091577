# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The metadata of our bags is what rosbag2's own parser asks for, from Humble on."""

from __future__ import annotations

import pytest
import yaml
from mcap.reader import make_reader
from rosbag2_rules import problems
from synthetic_bag import SyntheticRobot, write_robot_bag

from evla_ros.data.bags.definitions import definition_of
from evla_ros.data.bags.encode import encode_float64
from evla_ros.data.bags.metadata import update_custom_data
from evla_ros.data.bags.writer import McapBagWriter
from evla_ros.embodiment import load_embodiment

QOS = (
    "- history: 3\n  depth: 0\n  reliability: 1\n  durability: 2\n"
    "  deadline: {sec: 9223372036, nsec: 854775807}\n  lifespan: {sec: 0, nsec: 0}\n"
    "  liveliness: 1\n  liveliness_lease_duration: {sec: 0, nsec: 0}\n"
    "  avoid_ros_namespace_conventions: false"
)
# Text that YAML would take for something else, and text that needs quoting.
CUSTOM = {
    "empty": "",
    "number": "12",
    "flag": "yes",
    "nothing": "~",
    "lines": "pick: 'the cube'\n- then #stop\n\ttab",
    "unicode": "grün → ü \u2028 \x85",
    "embodiment": load_embodiment("humanoid_upper_body").text,
}


def write_bag(folder, qos=QOS, finish=True):
    writer = McapBagWriter(folder, CUSTOM, "jazzy")
    channel = writer.add_topic(
        "/number", "std_msgs/msg/Float64", definition_of("std_msgs/msg/Float64"), qos
    )
    for index in range(5):
        writer.write(channel, encode_float64(index), index)
    if finish:
        writer.close()
    else:
        writer.flush()
        writer.write_metadata()
        writer.abandon()
    return folder


@pytest.mark.parametrize("finish", [True, False])
@pytest.mark.parametrize("qos", [QOS, ""])
def test_finished_and_unfinished_bags_follow_the_rules(tmp_path, qos, finish):
    folder = write_bag(tmp_path / "bag", qos, finish)
    assert problems(folder) == []
    update_custom_data(folder, {"outcome": "success"})
    assert problems(folder) == []


def test_a_bag_of_many_topics_follows_them_too(tmp_path):
    robot = SyntheticRobot(load_embodiment("humanoid_upper_body"), seconds=0.5)
    assert problems(write_robot_bag(tmp_path / "bag", robot)) == []


def test_custom_texts_come_back_as_they_were(tmp_path):
    folder = write_bag(tmp_path / "bag")
    text = (folder / "metadata.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["rosbag2_bagfile_information"]["custom_data"] == CUSTOM


def test_metadata_and_storage_agree(tmp_path):
    """`ros2 bag info` shows the one, `ros2 bag play` reads the other."""
    folder = write_bag(tmp_path / "bag")
    text = (folder / "metadata.yaml").read_text(encoding="utf-8")
    told = yaml.safe_load(text)["rosbag2_bagfile_information"]
    (file,) = told["files"]
    with (folder / file["path"]).open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True)
        summary = reader.get_summary()
        assert reader.get_header().profile == "ros2"
    (channel,) = summary.channels.values()
    (topic,) = told["topics_with_message_count"]
    assert topic["message_count"] == summary.statistics.message_count == 5
    assert topic["topic_metadata"]["offered_qos_profiles"] == QOS
    assert channel.metadata["offered_qos_profiles"] == QOS
    assert channel.message_encoding == topic["topic_metadata"]["serialization_format"] == "cdr"
    assert summary.schemas[channel.schema_id].name == topic["topic_metadata"]["type"]
    assert told["starting_time"]["nanoseconds_since_epoch"] == summary.statistics.message_start_time


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("version: 8", "version: 9"), "not read by Humble"),
        (("compression_mode: ''", "compression_mode:"), "compression_mode is missing"),
        (("nanoseconds: ", "nanoseconds: -"), "no number in range"),
        (("depth: 0", "depth: none"), "depth is no number"),
        (("ros_distro", "distro"), "ros_distro is missing"),
        (("bag_0.mcap", "other.mcap"), "other.mcap does not exist"),
    ],
)
def test_the_rules_find_what_rosbag2_would_refuse(tmp_path, change, problem):
    folder = write_bag(tmp_path / "bag")
    path = folder / "metadata.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(*change), encoding="utf-8")
    assert problem in " ".join(problems(folder))
