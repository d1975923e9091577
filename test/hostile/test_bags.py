# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Storage made to hurt: reading it ends in a sentence, in bounded time and memory."""

from __future__ import annotations

import sqlite3
import struct
from pathlib import Path
from typing import Any

import pytest
import yaml
from made_files import LAUGHS, make_no_file
from made_mcap import MAGIC, chunk, mcap, record, text, zeros, zstd
from sandbox import Outcome, run
from subject import copied

from evla_ros.data.bags.metadata import ROOT_KEY
from evla_ros.data.bags.reader import open_bag

MEMORY = 1 << 30


def read(path: Path) -> Outcome:
    """Read all messages of a bag in a process of its own."""

    def messages() -> Any:
        with open_bag(path) as bag:
            return len(list(bag.messages())), bag.info.damage

    return run(messages, seconds=30, memory=MEMORY)


METADATA = {
    "a text for a count": lambda c: c["topics_with_message_count"][0].update(message_count="many"),
    "a version of 5,000 digits": "version: " + "9" * 5000,
    "a thousand million laughs": LAUGHS,
    "deep nesting": "[" * 5000,
    "no integer": "version: !!int abc",
    "a list of topics": lambda c: c.update(topics_with_message_count=[[1], None, {}]),
    "no files": lambda c: c.update(relative_file_paths=[None, 3, ["a"]]),
    "custom data": lambda c: c.update(custom_data=[["a", "b", "c"]]),
    "nothing": "",
    "not UTF-8": b"\xff\xfe",
}


@pytest.mark.parametrize("name", METADATA)
def test_metadata_costs_only_what_stood_in_it(bag, name):
    path, change = bag / "metadata.yaml", METADATA[name]
    if callable(change):
        content = yaml.safe_load(path.read_text())
        change(content[ROOT_KEY])
        path.write_text(yaml.safe_dump(content))
    else:
        path.write_bytes(change if isinstance(change, bytes) else change.encode())
    outcome = read(bag)
    assert outcome.ending == "read", outcome.text
    count, damage = outcome.value
    assert count > 100
    assert damage is None or "\n" not in damage


@pytest.mark.parametrize("how", ["pipe", "folder", "loop", "zeros", "memory"])
@pytest.mark.parametrize("name", ["metadata.yaml", "bag_0.mcap"])
def test_what_is_no_file_is_not_read(bag, name, how):
    make_no_file(bag / name, how)
    outcome = read(bag)
    if name == "metadata.yaml":
        assert outcome.ending == "read", outcome.text
    else:
        assert outcome.ending == "refused", outcome.text
        assert "bag" in outcome.text


@pytest.fixture(scope="module")
def two_gigabytes():
    return zeros(2 << 30)


def test_a_chunk_of_two_gigabytes_is_refused_unread(two_gigabytes, tmp_path):
    file = tmp_path / "bomb.mcap"
    file.write_bytes(mcap(chunk(two_gigabytes, 2 << 30)))
    assert file.stat().st_size < 400_000
    outcome = read(file)
    assert outcome.ending == "refused", outcome.text
    assert "2147483648 bytes, the limit is 268435456 (set EVLA_MAX_CHUNK_BYTES" in outcome.text


@pytest.mark.parametrize("size", [0, 1000, 1 << 27])
def test_a_chunk_that_holds_more_than_it_says_is_refused(two_gigabytes, tmp_path, size):
    file = tmp_path / "bomb.mcap"
    file.write_bytes(mcap(chunk(two_gigabytes, size)))
    outcome = read(file)
    assert outcome.ending == "refused", outcome.text
    assert f"holds more than {size} bytes" in outcome.text


def test_many_chunks_that_unpack_to_much_more_than_the_file_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("evla_ros.data.bags.packing.ALWAYS_BYTES", 1 << 26)
    size = 1 << 24
    schema = record(3, struct.pack("<H", 1) + text("std_msgs/msg/String") + text("") + text(""))
    one = record(4, struct.pack("<HH", 1, 1) + text("/a") + text("cdr") + struct.pack("<I", 0))
    message = record(5, struct.pack("<HIQQ", 1, 0, 5, 5) + bytes(size - 31))
    packed = chunk(zstd.compress(message), size)
    file = tmp_path / "bomb.mcap"
    file.write_bytes(mcap(schema, one, *[packed] * 3))
    assert read(file).value[0] == 3
    file.write_bytes(mcap(schema, one, *[packed] * 60))
    outcome = read(file)
    assert outcome.ending == "refused", outcome.text
    assert "set EVLA_MAX_EXPANSION to raise it" in outcome.text


def test_a_chunk_of_empty_records_is_refused_at_the_thousandth(tmp_path):
    file = tmp_path / "bomb.mcap"
    file.write_bytes(mcap(chunk(zeros(1 << 27), 1 << 27)))
    outcome = read(file)
    assert outcome.ending == "refused", outcome.text
    assert "1001 records that do not belong into one" in outcome.text


@pytest.mark.parametrize("suffix", [".mcap.zstd", ".db3.zstd"])
def test_a_packed_file_that_never_ends_is_refused(tmp_path, suffix, monkeypatch):
    monkeypatch.setattr("evla_ros.data.bags.packing.ALWAYS_BYTES", 1 << 26)
    file = tmp_path / f"bomb{suffix}"
    head = mcap()[:33] if "mcap" in suffix else b"SQLite format 3\0"
    file.write_bytes(zstd.compress(head + record(9, b"")[:1] + b"\xff" * 8) + zeros(1 << 30))
    outcome = run(lambda: read_all(file), seconds=120, memory=MEMORY)
    assert outcome.ending == "refused", outcome.text
    assert "set EVLA_MAX_EXPANSION to raise it" in outcome.text


def read_all(path: Path) -> int:
    with open_bag(path) as bag:
        return len(list(bag.messages()))


def test_a_record_longer_than_the_file_ends_in_a_sentence(tmp_path):
    for length in (2**63, 2**64 - 1, 2**40, 1 << 31):
        file = tmp_path / f"{length}.mcap"
        file.write_bytes(MAGIC + struct.pack("<BQ", 5, length) + bytes(100) + MAGIC)
        outcome = read(file)
        assert outcome.ending in ("refused", "read"), outcome.text


SQL = {
    "a view that never ends": (
        "DROP TABLE messages",
        """CREATE VIEW messages AS
        WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n)
        SELECT id, 1 AS topic_id, id AS timestamp, x'00' AS data FROM n""",
    ),
    "a computed gigabyte": (
        """CREATE TABLE m2 (id INTEGER PRIMARY KEY, topic_id INTEGER, timestamp INTEGER,
        data BLOB AS (zeroblob(900000000)))""",
        "INSERT INTO m2 (id, topic_id, timestamp) SELECT id, topic_id, timestamp FROM messages",
        "DROP TABLE messages",
        "ALTER TABLE m2 RENAME TO messages",
    ),
    "a blob above the limit": ("UPDATE messages SET data = zeroblob(400000000) WHERE id = 3",),
    "numbers for bytes": ("UPDATE messages SET data = 5000000000",),
    "text for a time": ("UPDATE messages SET timestamp = 'now'",),
    "no table": ("DROP TABLE topics",),
}


@pytest.mark.parametrize("name", SQL)
def test_a_database_made_to_hurt_ends_in_a_sentence(sqlite, tmp_path, name):
    folder = copied(sqlite, tmp_path / "bag")
    file = next(folder.glob("*.db3"))
    database = sqlite3.connect(file)
    for statement in SQL[name]:
        database.execute(statement)
    database.commit()
    database.close()
    outcome = read(folder)
    assert outcome.ending == "refused", outcome.text
    assert "bag" in outcome.text
    assert "\n" not in outcome.text
