# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a bag is to the rest of the package: topics, raw messages, and what went wrong."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from evla_ros.errors import EvlaError

if TYPE_CHECKING:
    from typing_extensions import Self


class BagError(EvlaError):
    """A bag that cannot be opened, read or written; the sentence names the bag."""


class BagMessage(NamedTuple):
    """One raw message; `receive_ns` is the recorder's time, `data` the CDR bytes as sent."""

    topic: str
    receive_ns: int
    data: bytes


@dataclass(frozen=True)
class TopicInfo:
    """One topic of a bag; `count` is None where the file does not say."""

    name: str
    type: str
    count: int | None = None
    definition: str = ""
    qos: str = ""


@dataclass
class BagInfo:
    """What is known of a bag without reading its messages."""

    path: Path
    storage: str
    topics: dict[str, TopicInfo]
    start_ns: int | None = None
    end_ns: int | None = None
    custom_data: Mapping[str, str] = field(default_factory=dict)
    ros_distro: str = ""
    damage: str | None = None  # one sentence once something is known to be lost


class Bag(Protocol):
    """An open bag; a context manager. `info.damage` may be set while messages are read."""

    info: BagInfo

    def messages(self, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
        """Yield messages in time order, of all topics or only the named ones."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
