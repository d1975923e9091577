# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What lies on the disk is read: parts, packed files, logs, files without order or index."""

from __future__ import annotations

import shutil
import sqlite3
import sys

import numpy as np
import pytest
from mcap.writer import CompressionType, IndexType
from mcap.writer import Writer as McapWriter
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer

from evla_ros.cli.main import main
from evla_ros.data.bags.definitions import definition_of, typestore
from evla_ros.data.bags.encode import encode_float64
from evla_ros.data.bags.reader import find_bags, open_bag
from evla_ros.data.bags.types import BagError, WriteOrder
from evla_ros.data.messages import decode_float64

SECOND = 1_000_000_000
FLOAT = "std_msgs/msg/Float64"
PLUGINS = {"mcap": StoragePlugin.MCAP, "db3": StoragePlugin.SQLITE3}


def write(folder, values, storage, start_ns=SECOND, mode=None):
    """Write numbers at 100 Hz with the library rosbags; return the folder."""
    writer = Writer(folder, version=8, storage_plugin=PLUGINS[storage])
    if mode is not None:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        number = writer.add_connection("/number", FLOAT, typestore=typestore())
        for index, value in enumerate(values):
            writer.write(number, start_ns + index * 10_000_000, encode_float64(value))
    return folder


def write_mcap(file, stamps, *, profile="ros2", encoding="cdr", schema="ros2msg", **how):
    """Write numbers, each its own stamp in milliseconds, in this order."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as stream:
        writer = McapWriter(stream, compression=CompressionType.NONE, **how)
        writer.start(profile=profile, library="test")
        text = definition_of(FLOAT).text.encode()
        kind = FLOAT.replace("/msg/", "/") if profile == "ros1" else FLOAT
        number = writer.register_schema(kind, schema, text)
        channel = writer.register_channel("/number", encoding, number, {})
        for stamp in stamps:
            writer.add_message(channel, stamp, encode_float64(stamp / 1e6), stamp, 0)
        writer.finish()
    return file


def read(path):
    with open_bag(path) as bag:
        return [decode_float64(m.data) for m in bag.messages({"/number"})], bag.info


@pytest.fixture(params=["mcap", "db3"])
def parts(request, tmp_path):
    """Return a folder of twelve parts of one recording, without metadata.yaml."""
    folder = tmp_path / "bag"
    folder.mkdir()
    for part in range(12):
        values, start = range(10 * part, 10 * part + 10), (1 + part) * SECOND
        whole = write(tmp_path / "part", values, request.param, start)
        file = next(f for f in whole.iterdir() if f.suffix != ".yaml")
        file.rename(folder / f"bag_{part}.{request.param}")
        shutil.rmtree(whole)
    return folder


@pytest.mark.parametrize("name", ["bag", "other", "2026-11-29_a#b?c %41"])
def test_parts_are_one_recording_in_the_order_of_their_numbers(parts, tmp_path, name):
    folder = parts.rename(tmp_path / "recordings" / name) if name != "bag" else parts
    assert find_bags([folder]) == [folder]
    numbers, info = read(folder)
    assert numbers == list(range(120))
    assert "no metadata.yaml" in info.damage


@pytest.fixture(autouse=True)
def _recordings(tmp_path):
    (tmp_path / "recordings").mkdir()


def test_takes_that_somebody_numbered_are_recordings_of_their_own(tmp_path):
    for take, start in enumerate((1, 500, 900)):
        whole = write(tmp_path / "take", range(10), "db3", start * SECOND)
        next(whole.glob("*.db3")).rename(tmp_path / "recordings" / f"take_{take}.db3")
        shutil.rmtree(whole)
    assert len(find_bags([tmp_path / "recordings"])) == 3


@pytest.mark.parametrize("storage", ["mcap", "db3"])
def test_a_part_that_metadata_does_not_know_is_read_and_a_missing_one_is_named(tmp_path, storage):
    first = write(tmp_path / "recordings" / "bag", range(10), storage)
    later = write(tmp_path / "bag", range(10, 20), storage, 2 * SECOND)
    source = next(f for f in later.iterdir() if f.suffix == f".{storage}")
    known = next(f for f in first.iterdir() if f.suffix == f".{storage}")
    name = known.name.replace(f".{storage}", "") + f"_1.{storage}"
    if not known.stem.endswith("_0"):
        text = (first / "metadata.yaml").read_text().replace(known.name, f"bag_0.{storage}")
        (first / "metadata.yaml").write_text(text)
        known.rename(first / f"bag_0.{storage}")
        name = f"bag_1.{storage}"
    shutil.copy(source, first / name)
    assert read(first)[0] == list(range(20))
    (first / f"bag_0.{storage}").unlink()
    numbers, info = read(first)
    assert numbers == list(range(10, 20))
    assert f"bag_0.{storage} of its metadata.yaml is missing" in info.damage


@pytest.mark.parametrize("storage", ["mcap", "db3"])
@pytest.mark.parametrize("metadata", [True, False])
def test_files_that_were_compressed_as_a_whole(tmp_path, storage, metadata):
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    folder = write(tmp_path / "bag", range(30), storage)
    file = next(f for f in folder.iterdir() if f.suffix == f".{storage}")
    packed = file.with_name(f"bag_0.{storage}.zstd")
    packed.write_bytes(zstd.compress(file.read_bytes()))
    file.unlink()
    if not metadata:
        (folder / "metadata.yaml").unlink()
    for path in (folder, packed):
        assert find_bags([path]) == [path]
        assert read(path)[0] == list(range(30))


@pytest.mark.parametrize("mode", [CompressionMode.FILE, CompressionMode.MESSAGE])
@pytest.mark.parametrize("storage", ["mcap", "db3"])
def test_compression_is_recognised_without_metadata(tmp_path, storage, mode):
    if storage == "mcap" and mode is CompressionMode.MESSAGE:
        pytest.skip("rosbag2 writes no such files")
    folder = write(tmp_path / "bag", range(30), storage, mode=mode)
    assert read(folder)[0] == list(range(30))
    (folder / "metadata.yaml").unlink()
    assert read(folder)[0] == list(range(30))


def test_what_a_killed_recorder_left_in_the_log_of_its_database(tmp_path):
    folder = write(tmp_path / "bag", range(30), "db3")
    file = next(folder.glob("*.db3"))
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA wal_autocheckpoint = 0")
    select = "INSERT INTO messages (topic_id, timestamp, data) VALUES (1, ?, ?)"
    for value in range(30, 50):
        stamp = SECOND + value * 10_000_000
        database.execute(select, (stamp, encode_float64(value)))
    database.commit()
    killed = tmp_path / "killed"
    shutil.copytree(folder, killed)  # as it lies on the disk while the recorder has it open
    database.close()
    before = sorted((f.name, f.stat().st_mtime_ns) for f in killed.iterdir())
    assert read(killed)[0] == list(range(50))
    after = sorted((f.name, f.stat().st_mtime_ns) for f in killed.iterdir())
    assert after == before


@pytest.mark.parametrize("chunks", [True, False])
@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("spread_ms", [30, 4000])
def test_mcap_in_any_order(tmp_path, chunks, index, spread_ms):
    random = np.random.default_rng(2)
    late = random.uniform(0, spread_ms * 1e6, 200)
    stamps = [SECOND + k * 10_000_000 for k in range(200)]
    written = [stamps[k] for k in np.argsort(np.array(stamps) + late)]
    how = {"use_chunking": chunks, "chunk_size": 500}
    if not index:
        how |= {"index_types": IndexType.NONE, "use_statistics": False}
    file = write_mcap(tmp_path / "bag" / "bag_0.mcap", written, **how)
    with open_bag(file) as bag:
        assert [m.receive_ns for m in bag.as_written()] == written
        order = WriteOrder(disorder_ns=round(spread_ms * 1e6))
        assert [m.receive_ns for m in bag.messages(written=order)] == stamps


@pytest.mark.parametrize("name", ["100% #1?", "a b", "käse", "semi;colon&x=y"])
@pytest.mark.parametrize("storage", ["mcap", "db3"])
def test_any_name_of_a_folder(tmp_path, storage, name):
    folder = tmp_path / name / "bag"
    folder.parent.mkdir()
    write(tmp_path / "bag", range(5), storage).rename(folder)
    assert read(folder)[0] == list(range(5))


@pytest.mark.parametrize(
    "how",
    [
        {"profile": "ros1", "encoding": "ros1", "schema": "ros1msg"},
        {"profile": "", "encoding": "ros1", "schema": "ros1msg"},
        {"profile": "ros1", "encoding": "ros1", "schema": "ros1msg", "use_chunking": False},
    ],
)
def test_recordings_of_ros_1_are_recognised(tmp_path, how, capsys):
    write_mcap(tmp_path / "bag" / "bag_0.mcap", [SECOND], **how)
    with pytest.raises(BagError, match="is a ROS 1 recording.*rosbags-convert"):
        open_bag(tmp_path / "bag")
    assert main(["inspect", str(tmp_path / "bag")]) == 2
    assert "ROS 1" in capsys.readouterr().err


def test_a_bag_file_of_ros_1_is_named_among_others(tmp_path):
    (tmp_path / "recordings" / "old.bag").write_bytes(b"#ROSBAG V2.0\n")
    write(tmp_path / "recordings" / "new", range(5), "mcap")
    found = find_bags([tmp_path / "recordings"])
    assert [path.name for path in found] == ["new", "old.bag"]
    with pytest.raises(BagError, match="rosbags-convert --src old.bag"):
        open_bag(found[1])


def test_metadata_that_cannot_be_read_costs_only_what_stood_in_it(tmp_path):
    folder = write(tmp_path / "bag", range(5), "db3")
    (folder / "metadata.yaml").write_text("rosbag2_bagfile_information: [")
    numbers, info = read(folder)
    assert numbers == list(range(5))
    assert "metadata.yaml is not a rosbag2 metadata file" in info.damage


def test_an_unknown_file_is_one_sentence(tmp_path):
    for name, content, words in (
        ("a.mcap", b"", "seems to be empty"),
        ("b.db3", b"nothing of the kind, really", "neither like an MCAP nor a sqlite3"),
        ("c.mcap.zstd", b"not packed at all", "cannot be unpacked"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(BagError, match=words):
            open_bag(path)
