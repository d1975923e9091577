# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is in a bag and how well it was recorded, for `evla inspect`."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from evla_ros.data.bags import reader
from evla_ros.data.bags.reader import open_bag
from evla_ros.data.bags.storage_files import storage_files
from evla_ros.data.bags.types import BagError, BagInfo
from evla_ros.data.cdr import CdrError
from evla_ros.data.convert.bag_job import read_bag
from evla_ros.data.convert.gates import GATES
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.verdict import judge, judge_streams
from evla_ros.data.episode import Episode
from evla_ros.data.messages import HEADER_FIRST, header_stamp_ns
from evla_ros.embodiment import EmbodimentError, parse_embodiment
from evla_ros.errors import EvlaError, shorten, shown
from evla_ros.units import SECOND_NS

SHOWN_WORDS = {
    "empty": "no message",
    "few": "fewer than 10 messages, latched or sent now and then: no rate to judge",
    "gaps": "silent for more than five periods, or at one end of the recording",
    "ahead": "stamped before it was sent: its clock is ahead of the recorder's",
    "late": "received more than half a second after its stamp: a slow link or another clock",
    "clock": "stamps of another time altogether, such as simulated time",
}
LATE_S, AHEAD_S, OTHER_CLOCK_S = 0.5, 0.05, 60.0
SHOWN = ("instruction", "outcome", "operator", "embodiment_name", "interventions", "state", "note")
GAP_PERIODS = 5.0


def is_bag(path: Path) -> bool:
    """Return whether the path is a storage file, or a folder that holds one recording."""
    return reader.is_bag(path) or (path.is_dir() and len(storage_files(path)) == 1)


def describe_bag(path: Path) -> dict[str, Any]:
    """Read every message of a bag once, and say what was recorded and how well.

    Args:
        path: The bag, a folder or a file.

    Returns:
        What `bag_text` prints, in values that JSON has. Per topic: type, messages, rate [Hz],
        largest gap [s], median delay from stamp to receipt [s] and health (`ok`, or a word of
        `SHOWN_WORDS`). What breaks off on the way is in `damage`.

    Raises:
        BagError: Nothing can be read.
    """
    with open_bag(path) as bag:
        info = bag.info
        # A topic may be missing in the index, and therefore in `info`.
        times: defaultdict[str, list[int]] = defaultdict(list)
        delays: defaultdict[str, list[int]] = defaultdict(list)
        size = 0
        try:
            for message in bag.as_written():
                times[message.topic].append(message.receive_ns)
                size += len(message.data)
                delay = _delay_ns(info, message.topic, message.receive_ns, message.data)
                if delay is not None:
                    delays[message.topic].append(delay)
        except BagError as error:
            info.damage = str(error)
    every = [stamp for stamps in times.values() for stamp in stamps]
    duration = (max(every) - min(every)) / SECOND_NS if every else 0.0
    return {
        "kind": "bag",
        "path": str(path),
        "storage": info.storage,
        "ros_distro": info.ros_distro,
        "messages": len(every),
        "bytes": size,
        "start_ns": min(every, default=None),
        "duration_s": duration,
        "damage": info.damage,
        "episode": {key: info.custom_data[key] for key in SHOWN if info.custom_data.get(key)},
        "topics": {
            name: _describe_topic(_type_of(info, name), times[name], delays[name], duration)
            for name in sorted({*info.topics, *times})
        },
    }


def _type_of(info: BagInfo, topic: str) -> str:
    return info.topics[topic].type if topic in info.topics else ""


def _delay_ns(info: BagInfo, topic: str, receive_ns: int, data: bytes) -> int | None:
    if _type_of(info, topic) not in HEADER_FIRST:
        return None
    try:
        stamp = header_stamp_ns(data)
    except CdrError:
        return None
    return receive_ns - stamp if stamp else None


def _describe_topic(
    kind: str, stamps: list[int], delays: list[int], duration_s: float
) -> dict[str, Any]:
    gaps = np.diff(np.array(sorted(stamps), dtype=np.int64)) / SECOND_NS
    span = (max(stamps) - min(stamps)) / SECOND_NS if len(stamps) > 1 else 0.0
    rate = (len(stamps) - 1) / span if span > 0 else 0.0
    largest = float(gaps.max()) if gaps.size else 0.0
    delay_s = round(float(np.median(delays)) / SECOND_NS, 4) if delays else None
    return {
        "type": kind,
        "messages": len(stamps),
        "rate_hz": round(rate, 3),
        "largest_gap_s": round(largest, 4),
        "delay_s": delay_s,
        "health": _health(len(stamps), rate, largest, span, duration_s, delay_s or 0.0),
    }


def _health(
    count: int, rate: float, gap: float, span: float, duration_s: float, delay_s: float
) -> str:
    """Return `ok` or the word of `SHOWN_WORDS` for what is most wrong."""
    if count == 0:
        return "empty"
    if abs(delay_s) > OTHER_CLOCK_S:
        return "clock"
    if delay_s < -AHEAD_S:
        return "ahead"
    if delay_s > LATE_S:
        return "late"
    if count < 10:
        return "few"
    if gap > GAP_PERIODS / rate or span < 0.9 * duration_s:
        return "gaps"
    return "ok"


def bag_text(description: dict[str, Any]) -> str:
    """Return what `describe_bag` found as lines for a terminal; no text of the bag breaks one."""
    name, seconds = shown(Path(description["path"]).name), description["duration_s"]
    amount = f"{description['messages']} messages, {description['bytes'] / 1e6:.1f} MB"
    lines = [f"bag {name}: {seconds:.1f} s, {amount} ({description['storage']})"]
    lines += [f"  {key}: {shorten(told, 300)}" for key, told in description["episode"].items()]
    if description["damage"]:
        lines.append(f"  damaged: {description['damage']}")
    lines += _topic_lines(description["topics"])
    words = {topic["health"] for topic in description["topics"].values()}
    lines += [f"  {word}: {told}" for word, told in SHOWN_WORDS.items() if word in words]
    if "conversion" in description:
        lines += _conversion_lines(description["conversion"])
    return "\n".join(lines)


def _topic_lines(topics: dict[str, Any]) -> list[str]:
    topics = {shorten(name): topic for name, topic in topics.items()}
    width = max((len(name) for name in topics), default=5)
    lines = [f"  {'topic':{width}}  messages     Hz  largest gap      delay  health  type"]
    for name, topic in topics.items():
        lines.append(
            f"  {name:{width}}  {topic['messages']:8d}  {topic['rate_hz']:5.1f}  "
            f"{topic['largest_gap_s']:9.3f} s  {_delay_text(topic['delay_s'])}  "
            f"{topic['health']:6}  {shorten(topic['type'])}"
        )
    return lines


def _delay_text(delay_s: float | None) -> str:
    """Return a delay in nine columns, in the unit that fits it."""
    if delay_s is None:
        return "        -"
    if abs(delay_s) < 10.0:
        return f"{delay_s * 1e3:6.0f} ms"
    return f"{delay_s:7.1f} s" if abs(delay_s) < OTHER_CLOCK_S else "  (clock)"


def _conversion_lines(conversion: dict[str, Any]) -> list[str]:
    streams = conversion["streams"]
    name_width = max((len(one["stream"]) for one in streams), default=0)
    topic_width = max((len(one["topic"]) for one in streams), default=0)
    lines = ["  what evla convert would do with it:"]
    lines += [
        f"    {one['stream']:{name_width}}  {one['topic'] or '-':{topic_width}}  "
        f"{one['messages']:6d} messages: {one['use']}"
        for one in streams
    ]
    return [*lines, *(f"    {line}" for line in conversion["lines"])]


def with_conversion(description: dict[str, Any], path: Path, embodiment: str) -> dict[str, Any]:
    """Return the description with what the converter would make of the bag.

    Args:
        description: From `describe_bag`.
        path: The bag.
        embodiment: The YAML text of the robot; empty takes the one inside the bag.

    Raises:
        EvlaError: The text is no embodiment file.
    """
    text = embodiment or _embodiment_inside(path)
    if not text:
        return description
    options = ConvertOptions(text)
    options.embodiment()
    verdict = judge(path, options)
    streams = [asdict(one) for one in judge_streams(path, options)]
    told = {"steps": verdict.steps, "refusal": verdict.refusal, "lines": verdict.lines}
    return {**description, "conversion": {**told, "streams": streams}}


def _embodiment_inside(path: Path) -> str:
    """Return the embodiment that the bag carries, where it can be read."""
    with open_bag(path) as bag:
        text = bag.info.custom_data.get("embodiment", "")
    try:
        parse_embodiment(text, source=f"the embodiment inside {path.name}")
    except EvlaError:
        return ""
    return text


def bag_episode(path: Path, image_size: int = 224, embodiment: str = "") -> Episode:
    """Return the bag as an episode, aligned as the converter would but with every gate open.

    Args:
        path: The bag.
        image_size: Side of the pictures [pixels].
        embodiment: The YAML text of the robot; empty takes the one inside the bag.

    Raises:
        EvlaError: That is not possible, for example without an embodiment.
    """
    with open_bag(path) as bag:
        text = embodiment or bag.info.custom_data.get("embodiment")
    if not text:
        raise BagError(
            f"{path} carries no embodiment; pictures need to know its cameras: name one with "
            "--embodiment NAME_OR_FILE"
        )
    try:
        parse_embodiment(text, source=f"the embodiment inside {path.name}")
    except EmbodimentError as error:
        raise BagError(f"{path}: {error}") from error
    options = ConvertOptions(
        text,
        image_size=(image_size, image_size),
        source="achieved",
        idle="keep",
        min_steps=1,
        allow=tuple(GATES),
    )
    return read_bag(path, options).episodes[0]
