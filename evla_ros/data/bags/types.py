# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The types of an open bag: its topics, its raw messages, and the error when it is unusable."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from evla_ros.errors import EvlaError
from evla_ros.units import SECOND_NS

if TYPE_CHECKING:
    from typing_extensions import Self


class BagError(EvlaError):
    """A bag that cannot be opened, read or written; the message names the bag."""


class BagMessage(NamedTuple):
    """One raw message.

    Attributes:
        topic: The name of its topic.
        receive_ns: When the recorder received it [ns].
        data: The message as it was sent, as CDR bytes.
        number: Its place in the order in which the recorder wrote, from 0.
    """

    topic: str
    receive_ns: int
    data: bytes
    number: int = 0


@dataclass(frozen=True)
class TopicInfo:
    """One topic of a bag.

    Attributes:
        name: The topic.
        type: Its message type, such as `sensor_msgs/msg/Image`.
        count: The number of its messages; None where nobody has counted them.
        definition: The definition of the type, where the bag holds it.
        qos: The quality of service that its publishers offered, in rosbag2's YAML.
        encoding: How messages are serialised; `cdr` is what ROS 2 sends.
    """

    name: str
    type: str
    count: int | None = None
    definition: str = ""
    qos: str = ""
    encoding: str = "cdr"

    def with_count(self, count: int) -> TopicInfo:
        """Return the topic with this number of messages."""
        return replace(self, count=count)

    def with_qos(self, qos: str) -> TopicInfo:
        """Return the topic with this quality of service."""
        return replace(self, qos=qos)

    def joined(self, other: TopicInfo | None) -> TopicInfo:
        """Return the topic with the messages of both, `other` being the same topic elsewhere.

        Raises:
            BagError: They carry different types.
        """
        if other is None:
            return self
        if other.type != self.type:
            raise BagError(
                f"topic {self.name} carries several message types: {other.type} and {self.type}"
            )
        return replace(other, count=(other.count or 0) + (self.count or 0))

    @property
    def latched(self) -> bool:
        """Whether its publishers keep the last message for late subscribers (transient local)."""
        words = self.qos.replace("'", "").replace('"', "").split()
        pairs = list(itertools.pairwise(words))
        offered = [value for key, value in pairs if key == "durability:"]
        return bool(offered) and all(value in ("1", "transient_local") for value in offered)


class WriteOrder(NamedTuple):
    """How the messages of a bag lie in its files.

    Attributes:
        disorder_ns: How far a message may lie behind one that was received later [ns].
        steps: Numbers of the messages at which the recorder's own clock was set back. Times before
            and after such a step are not compared.
    """

    disorder_ns: int = SECOND_NS
    steps: tuple[int, ...] = ()


@dataclass
class BagInfo:
    """What is known about a bag without reading its messages."""

    path: Path
    storage: str
    topics: dict[str, TopicInfo]
    start_ns: int | None = None
    end_ns: int | None = None
    custom_data: Mapping[str, str] = field(default_factory=dict)
    ros_distro: str = ""
    damage: str | None = None  # one sentence once something is known to be lost


class Bag(Protocol):
    """An open bag, usable in a `with` block; `info.damage` may be set while messages are read."""

    info: BagInfo

    def messages(
        self, topics: Collection[str] | None = None, written: WriteOrder | None = None
    ) -> Iterator[BagMessage]:
        """Yield messages in the order of their receive times, of all topics or the named ones.

        Args:
            topics: The topics to read; None reads all.
            written: How they lie in the files, if that is known.
        """
        ...

    def as_written(self, topics: Collection[str] | None = None) -> Iterator[BagMessage]:
        """Yield messages in the order in which the recorder wrote them."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
