# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read one sqlite3 file of rosbag2, with what a killed recorder left in its write-ahead log.

The file and its folder are never written to: a database with a log is read from a copy.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from evla_ros.data.bags.packing import Unpacked, is_packed, open_storage
from evla_ros.data.bags.types import BagError, BagMessage, TopicInfo
from evla_ros.errors import shorten, shown
from evla_ros.reading.limits import CHUNK_BYTES

SQLITE_MAGIC = b"SQLite format 3\0"
_LOGS = ("-wal", "-journal")
_BLOCK_BYTES = 1 << 20


class SqliteFile:
    """The messages of one file.

    Attributes:
        path: The file.
        topics: The topics by name, with the number of their messages.
        start_ns: Receive time of the first message [ns]; None without messages.
        end_ns: Receive time of the last message [ns].
        damage: Always None: a damaged database raises.
    """

    storage = "sqlite3"

    def __init__(self, path: Path) -> None:
        """List the topics.

        Raises:
            BagError: It is no database of rosbag2, or a damaged one.
        """
        self.path = path
        self.damage: str | None = None
        self._copy: TemporaryDirectory[str] | None = None
        try:
            self._uri = self._readable()
            with closing(self._connect()) as database:
                _check_tables(database)
                self.topics = _topics(database)
                limits = database.execute("SELECT min(timestamp), max(timestamp) FROM messages")
                first, last = limits.fetchone()
            self.start_ns = None if first is None else _whole(first)
            self.end_ns = None if last is None else _whole(last)
        except (sqlite3.Error, OSError, ValueError) as error:
            raise BagError(f"{shown(path)} cannot be opened: {_reason(error)}") from error

    def messages(self, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
        """Yield the messages in the order in which they were written.

        Raises:
            BagError: The database is damaged.
        """
        seen = 0
        select = "SELECT topic_id, timestamp, data FROM messages ORDER BY id"
        try:
            with closing(self._connect()) as database:
                names = {_whole(n): str(name) for n, name in _rows(database, "id, name")}
                for number, stamp, data in database.execute(select):
                    if number not in names:
                        raise ValueError(f"a message of topic {number!r}, which is not described")
                    if not isinstance(data, bytes):
                        raise ValueError("a message is no bytes")  # noqa: TRY004 - of the file
                    seen += 1
                    if topics is None or names[number] in topics:
                        yield BagMessage(names[number], _whole(stamp), data)
        except (sqlite3.Error, ValueError) as error:
            place = f"{shown(self.path)} breaks after {seen} messages"
            raise BagError(f"{place}: {_reason(error)}") from error

    def _connect(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._uri, uri=True)
        database.execute("PRAGMA trusted_schema = OFF")
        if sys.version_info >= (3, 11):
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CHUNK_BYTES.value)
        return database

    def _readable(self) -> str:
        """Return the address of the database, or of a copy where reading it would write."""
        logs = [self.path.with_name(self.path.name + end) for end in _LOGS]
        logs = [log for log in logs if log.is_file() and log.stat().st_size > 0]
        if not logs and not is_packed(self.path):
            return f"file:{quote(os.fsencode(self.path.absolute()))}?immutable=1"
        self._copy = TemporaryDirectory(prefix="evla_bag_")
        copy = Path(self._copy.name) / "bag.db3"
        with open_storage(self.path) as packed:
            _copy(packed, copy)
        for log in logs:
            with open_storage(log) as stream:
                _copy(stream, copy.with_name(copy.name + log.name[len(self.path.name) :]))
        return f"file:{quote(str(copy))}"


def _copy(stream: Unpacked, target: Path) -> None:
    """Copy what a stream holds, leaving room on the disk for others."""
    free = shutil.disk_usage(target.parent).free
    written = 0
    with target.open("wb") as out:
        while block := stream.read(_BLOCK_BYTES):
            written += len(block)
            if written > free // 2:
                raise ValueError(
                    f"it takes more than half of the {free >> 20} MiB that are free in "
                    f"{target.parent.parent}: make room, or set TMPDIR"
                )
            out.write(block)


def _check_tables(database: sqlite3.Connection) -> None:
    """Refuse views and computed columns: what they hold is made when it is read, without end.

    Raises:
        ValueError: A table is missing, or is none.
    """
    kinds = dict(database.execute("SELECT name, type FROM sqlite_master WHERE sql NOT NULL"))
    if any(kinds.get(name) != "table" for name in ("topics", "messages")):
        raise ValueError("the tables of rosbag2 are missing")
    select = "SELECT count(*) FROM sqlite_master WHERE type = 'view' OR sql LIKE 'CREATE VIRTUAL%'"
    made = database.execute(select).fetchone()[0]
    for name in ("topics", "messages", "message_definitions"):
        columns = database.execute(f"PRAGMA table_xinfo({name})")
        made += sum(row[6] != 0 for row in columns)
    if made:
        raise ValueError("it holds views or computed columns, which no recorder writes")


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError(f"{shorten(repr(value))} stands where a whole number belongs")  # noqa: TRY004
    return value


def _rows(database: sqlite3.Connection, columns: str) -> list[tuple[Any, ...]]:
    return database.execute(f"SELECT {columns} FROM topics ORDER BY id").fetchall()  # noqa: S608


def _topics(database: sqlite3.Connection) -> dict[str, TopicInfo]:
    there = {row[1] for row in database.execute("PRAGMA table_info(topics)")}
    if not {"id", "name", "type"} <= there:
        raise ValueError("the tables of rosbag2 are missing")
    optional = [n if n in there else "''" for n in ("serialization_format", "offered_qos_profiles")]
    counts: dict[Any, int] = dict(
        database.execute("SELECT topic_id, count(*) FROM messages GROUP BY topic_id")
    )
    texts = _definitions(database)
    topics: dict[str, TopicInfo] = {}
    columns = f"id, name, type, {', '.join(optional)}"
    for number, name, kind, encoding, qos in _rows(database, columns):
        topic = TopicInfo(
            str(name), str(kind), counts.get(number, 0), texts.get(str(kind), ""), str(qos),
            str(encoding or "cdr"),
        )  # fmt: skip
        topics[topic.name] = topic.joined(topics.get(topic.name))
    return dict(sorted(topics.items()))


def _definitions(database: sqlite3.Connection) -> dict[str, str]:
    tables = database.execute("SELECT name FROM sqlite_master WHERE name = 'message_definitions'")
    if tables.fetchone() is None:
        return {}
    select = "SELECT topic_type, encoded_message_definition FROM message_definitions"
    return {str(kind): str(text) for kind, text in database.execute(select)}


def _reason(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return shorten(text[0].rstrip("."), 200) if text and text[0] else type(error).__name__
