# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bags written by us, by rosbags and by the official recorder; cut, flipped and headless ones."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from rosbags.rosbag2 import StoragePlugin, Writer

from evla_ros.data.bags.definitions import definition_of, typestore
from evla_ros.data.bags.encode import encode_episode_event, encode_float64, encode_string
from evla_ros.data.bags.metadata import read_metadata, update_custom_data
from evla_ros.data.bags.reader import content_hash, find_bags, open_bag
from evla_ros.data.bags.types import BagError
from evla_ros.data.bags.writer import McapBagWriter
from evla_ros.data.messages import decode_episode_event, decode_float64, decode_string
from evla_ros.errors import EvlaError

SECOND = 1_000_000_000


def write_bag(folder: Path, count: int = 200, payload: int = 5000, close: bool = True):
    writer = McapBagWriter(folder, {"instruction": "pick\nthe cube: ü"}, "jazzy")
    number = writer.add_topic(
        "/number", "std_msgs/msg/Float64", definition_of("std_msgs/msg/Float64")
    )
    text = writer.add_topic("/text", "std_msgs/msg/String", definition_of("std_msgs/msg/String"))
    for index in range(count):
        stamp = SECOND + index * 10_000_000
        writer.write(number, encode_float64(index), stamp)
        writer.write(text, encode_string(f"{index} " + "x" * payload), stamp + 5)
        if index % 50 == 49:
            writer.flush()
    if close:
        writer.close()
    else:
        writer.abandon()
    return folder


def read_numbers(path):
    with open_bag(path) as bag:
        return [decode_float64(m.data) for m in bag.messages({"/number"})], bag.info


def test_round_trip_keeps_bytes_times_and_custom_data(tmp_path):
    folder = write_bag(tmp_path / "bag")
    with open_bag(folder) as bag:
        messages = list(bag.messages())
        assert bag.info.damage is None
    assert len(messages) == 400
    assert [m.topic for m in messages[:2]] == ["/number", "/text"]
    assert messages[2].receive_ns == SECOND + 10_000_000
    assert decode_string(messages[3].data).startswith("1 x")
    assert bag.info.custom_data == {"instruction": "pick\nthe cube: ü"}
    assert bag.info.topics["/number"].count == 200
    assert (bag.info.start_ns, bag.info.end_ns) == (SECOND, SECOND + 199 * 10_000_000 + 5)


def test_mcap_indexed_reader_agrees_and_schemas_are_embedded(tmp_path):
    from mcap.reader import make_reader
    from mcap_ros2.decoder import DecoderFactory

    folder = write_bag(tmp_path / "bag")
    with (folder / "bag_0.mcap").open("rb") as stream:
        reader = make_reader(stream, validate_crcs=True, decoder_factories=[DecoderFactory()])
        decoded = [(c.topic, m) for _, c, _, m in reader.iter_decoded_messages(topics=["/number"])]
        summary = reader.get_summary()
    assert [m.data for _, m in decoded] == list(range(200))
    assert summary.statistics.message_count == 400
    assert len(summary.chunk_indexes) >= 4


def test_writer_never_overwrites(tmp_path):
    write_bag(tmp_path / "bag", 2)
    with pytest.raises(BagError, match="exists already"):
        McapBagWriter(tmp_path / "bag")


def test_metadata_is_there_from_the_start_and_custom_data_can_be_changed_later(tmp_path):
    writer = McapBagWriter(tmp_path / "bag", {"outcome": "unknown"})
    assert read_metadata(tmp_path / "bag")["message_count"] == 0
    writer.close()
    update_custom_data(tmp_path / "bag", {"outcome": "success"})
    with open_bag(tmp_path / "bag") as bag:
        assert bag.info.custom_data["outcome"] == "success"
        assert list(bag.messages()) == []


@pytest.mark.parametrize("name", ["talker_mcap", "talker_sqlite3"])
def test_official_recorder_bags_are_read(shared, name):
    with open_bag(shared / "data" / "rosbag2" / name) as bag:
        texts = [decode_string(m.data) for m in bag.messages({"/topic"})]
        everything = list(bag.messages())
    assert len(texts) == 10
    assert all("Hello" in text for text in texts)
    assert len(everything) == 20
    assert bag.info.storage in name
    assert bag.info.damage is None


def test_lone_files_and_folders_without_metadata_are_read(tmp_path):
    folder = write_bag(tmp_path / "bag", 20)
    (folder / "metadata.yaml").unlink()
    for path in (folder, folder / "bag_0.mcap"):
        numbers, info = read_numbers(path)
        assert numbers == list(range(20))
        assert (info.damage is None) == path.is_file()


@pytest.mark.parametrize("share", [0.2, 0.5, 0.7, 0.99])
@pytest.mark.parametrize("metadata", [True, False])
def test_truncated_mcap_gives_every_whole_chunk_and_says_so(tmp_path, share, metadata):
    folder = write_bag(tmp_path / "bag")
    file = folder / "bag_0.mcap"
    raw = file.read_bytes()
    file.write_bytes(raw[: int(len(raw) * share)])
    if not metadata:
        (folder / "metadata.yaml").unlink()
    numbers, info = read_numbers(folder)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= 200 * share - 3  # what the index at the end takes
    assert "damaged near byte" in info.damage
    assert info.topics["/number"].count == len(numbers)
    if metadata:
        assert info.custom_data["instruction"].startswith("pick")


def test_unfinished_bag_of_a_killed_recorder_is_read_to_the_last_flush(tmp_path):
    folder = write_bag(tmp_path / "bag", 120, close=False)
    numbers, info = read_numbers(folder)
    assert numbers == list(range(100))
    assert info.damage


def _copy_with_rosbags(source: Path, target: Path, plugin: StoragePlugin, version: int):
    store = typestore()
    with open_bag(source) as bag, Writer(target, version=version, storage_plugin=plugin) as writer:
        connections = {
            t.name: writer.add_connection(t.name, t.type, typestore=store)
            for t in bag.info.topics.values()
        }
        for message in bag.messages():
            writer.write(connections[message.topic], message.receive_ns, message.data)
    return target


@pytest.mark.parametrize("plugin", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
@pytest.mark.parametrize("version", [8, 9])
def test_bags_of_another_writer_give_the_same_messages(tmp_path, plugin, version):
    ours = write_bag(tmp_path / "ours", 30)
    theirs = _copy_with_rosbags(ours, tmp_path / "theirs", plugin, version)
    with open_bag(ours) as a, open_bag(theirs) as b:
        assert list(a.messages()) == list(b.messages())


def test_split_bag_is_read_as_one(tmp_path):
    folder = write_bag(tmp_path / "bag", 20)
    second = write_bag(tmp_path / "later", 5)
    shutil.copy(second / "later_0.mcap", folder / "bag_1.mcap")
    meta = yaml.safe_load((folder / "metadata.yaml").read_text())
    info = meta["rosbag2_bagfile_information"]
    info["relative_file_paths"].append("bag_1.mcap")
    info["message_count"] = 50
    for topic in info["topics_with_message_count"]:
        topic["message_count"] = 25
    (folder / "metadata.yaml").write_text(yaml.safe_dump(meta))
    numbers, found = read_numbers(folder)
    assert numbers == [*range(20), *range(5)]
    assert found.damage is None


def test_missing_messages_are_never_silent(tmp_path):
    folder = write_bag(tmp_path / "bag", 20)
    text = (folder / "metadata.yaml").read_text().replace("message_count: 20", "message_count: 25")
    (folder / "metadata.yaml").write_text(text)
    numbers, info = read_numbers(folder)
    assert len(numbers) == 20
    assert "20 of 25" in info.damage


@pytest.mark.parametrize("plugin", ["ours", StoragePlugin.MCAP, StoragePlugin.SQLITE3])
def test_mutated_bags_give_a_sentence_or_all_messages(tmp_path, plugin):
    source = write_bag(tmp_path / "source", 60, payload=200)
    if plugin != "ours":
        source = _copy_with_rosbags(source, tmp_path / "copy", plugin, 9)
    file = next(f for f in source.iterdir() if f.suffix in (".mcap", ".db3"))
    whole = file.read_bytes()
    with open_bag(source) as bag:
        expected = list(bag.messages())
    random = np.random.default_rng(1)
    silent = 0
    for _ in range(40):
        raw = bytearray(whole)
        for _ in range(random.integers(1, 4)):
            raw[random.integers(len(raw))] ^= 1 << random.integers(8)
        if random.random() < 0.3:
            raw = raw[: random.integers(len(raw))]
        file.write_bytes(raw)
        try:
            with open_bag(source) as bag:
                got = list(bag.messages())
            silent += len(got) < len(expected) and bag.info.damage is None
        except EvlaError as error:
            assert str(error)
    assert silent == 0


def test_find_bags_lists_folders_and_files_but_no_trash(tmp_path):
    write_bag(tmp_path / "a" / "one", 1)
    write_bag(tmp_path / "a" / "two", 1)
    write_bag(tmp_path / "a" / "trash" / "three", 1)
    assert [p.name for p in find_bags([tmp_path / "a"])] == ["one", "two"]
    assert find_bags([tmp_path / "a" / "one", tmp_path / "a"])[0].name == "one"
    with pytest.raises(BagError, match="does not exist"):
        find_bags([tmp_path / "nothing"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(BagError, match="holds no bag"):
        find_bags([tmp_path / "empty"])


def test_content_hash_changes_with_content_only(tmp_path):
    one = write_bag(tmp_path / "x" / "bag", 3)
    same = write_bag(tmp_path / "y" / "bag", 3)
    other = write_bag(tmp_path / "z" / "bag", 4)
    assert content_hash(one) == content_hash(same)
    assert content_hash(one) != content_hash(other)


def test_own_event_message_round_trip_and_definition():
    event = decode_episode_event(
        encode_episode_event(SECOND + 3, "base_link", "e1", 6, "pick", 1, 2.5, "why")
    )
    assert (event.header.stamp_ns, event.kind, event.outcome) == (SECOND + 3, 6, 1)
    assert (event.duration_s, event.note, event.instruction) == (2.5, "why", "pick")
    definition = definition_of("evla_ros/msg/EpisodeEvent")
    assert "MSG: std_msgs/Header" in definition.text
    assert definition.type_hash.startswith("RIHS01_")


def test_unknown_type_is_named():
    with pytest.raises(BagError, match="nobody_msgs/msg/Thing"):
        definition_of("nobody_msgs/msg/Thing")
