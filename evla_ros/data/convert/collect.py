# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Stream one bag through the aligner into columns over ticks; pictures are encoded at once.

Memory holds the reorder window of raw messages and the JPEG bytes of the episode, whatever the size
of the bag.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from evla_ros.data.alignment.aligner import CausalAligner, StreamRule, Tick
from evla_ros.data.alignment.tf_poses import TfPoses
from evla_ros.data.bags.types import Bag, BagMessage
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.roles import Role, find_roles, find_topic
from evla_ros.data.convert.timeline import Timeline
from evla_ros.data.messages import EpisodeEvent, decode_episode_event, decode_tf_message
from evla_ros.embodiment import Embodiment

SAMPLED_ABOVE = 1 << 16
SAMPLES = 64


@dataclass
class Collected:
    """What streaming one bag gave: its ticks (through `on_tick`) and facts about the whole."""

    roles: list[Role]
    message_hash: str = ""
    events: list[tuple[int, EpisodeEvent]] = field(default_factory=list)  # (stamp, event)
    waiting_for: tuple[str, ...] = ()
    first_instruction: bytes | None = None


def collect(
    bag: Bag, embodiment: Embodiment, options: ConvertOptions, on_tick: Callable[[Tick], None]
) -> Collected:
    """Feed `on_tick` every tick of the bag in order; raises the EvlaError of what is wrong."""
    source = options.action_source(embodiment)
    roles = find_roles(embodiment, bag.info.topics, source)
    result = Collected(roles)
    streams = _Streams(embodiment, roles, options)
    digest = hashlib.sha256()
    for message in bag.messages(streams.topics(bag.info.topics)):
        digest.update(_mark(message))
        streams.push(message, result)
        for tick in streams.aligner.ticks():
            on_tick(tick)
    for tick in streams.aligner.finish():
        on_tick(tick)
    result.message_hash = digest.hexdigest()
    result.waiting_for = streams.aligner.waiting_for
    return result


def _mark(message: BagMessage) -> bytes:
    """Identify a message for the bag's hash; of big ones every 16th kilobyte or so is read."""
    data = message.data
    if len(data) > SAMPLED_ABOVE:
        step = len(data) // SAMPLES
        data = b"".join(data[at : at + 1024] for at in range(0, len(data), step))
    checksum = zlib.crc32(data)
    return f"{message.topic} {message.receive_ns} {len(message.data)} {checksum}\n".encode()


class _Streams:
    def __init__(self, embodiment: Embodiment, roles: list[Role], options: ConvertOptions) -> None:
        self._embodiment = embodiment
        self._by_topic: dict[str, list[Role]] = {}
        for role in roles:
            self._by_topic.setdefault(role.topic, []).append(role)
        self._timeline = Timeline(options.time)
        self._waiting: list[BagMessage] = []
        self._static: str | None = None
        rules: dict[str, StreamRule] = {}
        for role in roles:
            if role.key != "events":
                rules[role.key.replace("tf:", "pose:")] = role.rule
        self.aligner = CausalAligner(rules, embodiment.rate_hz)
        self._tf = {
            arm.name: TfPoses(*arm.pose.tf) for arm in embodiment.arms if arm.pose.tf is not None
        }

    def topics(self, available: dict[str, Any]) -> set[str]:
        """Return the topics to read, and remember which is /tf_static."""
        self._static = find_topic("tf_static", available) if self._tf else None
        return {*self._by_topic, *([self._static] if self._static else [])}

    def push(self, message: BagMessage, result: Collected) -> None:
        """Hand a message to every role it plays."""
        if message.topic == self._static:
            self._push_tf(message, static=True)
        for role in self._by_topic.get(message.topic, ()):
            if role.key == "events":
                event = decode_episode_event(message.data)
                receive = self._timeline.receive
                stamp = message.receive_ns if receive else event.header.stamp_ns
                result.events.append((stamp, event))
            elif role.key.startswith("tf:"):
                self._push_tf(message, static=False)
                break  # one message serves every arm
            else:
                self._push_role(role, message, result)

    def _push_role(self, role: Role, message: BagMessage, result: Collected) -> None:
        if role.key == "instruction" and result.first_instruction is None:
            result.first_instruction = message.data
        stamp = self._timeline.stamp_ns(role.topic, role.type, message.receive_ns, message.data)
        if stamp is None:
            self._waiting.append(message)
            return
        for early in self._placed():
            for other in self._by_topic[early.topic]:
                at = early.receive_ns - self._timeline.offset_ns
                self.aligner.push(other.key, at, early.receive_ns, early.data)
        self.aligner.push(role.key, stamp, message.receive_ns, message.data)

    def _placed(self) -> Iterator[BagMessage]:
        early, self._waiting = self._waiting, []
        yield from early

    def _push_tf(self, message: BagMessage, *, static: bool) -> None:
        transforms = decode_tf_message(message.data)
        for arm, chain in self._tf.items():
            moved = chain.push(transforms, static=static)
            if moved is not None:
                stamp, pose = moved
                stamp = message.receive_ns if self._timeline.receive else stamp
                self.aligner.push(f"pose:{arm}", stamp, message.receive_ns, pose)
