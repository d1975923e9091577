# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is in a bag and how well it was recorded, for `evla inspect`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from evla_ros.data.bags.reader import SUFFIXES, open_bag
from evla_ros.data.bags.types import BagError, BagInfo
from evla_ros.data.cdr import CdrError
from evla_ros.data.convert.bag_job import read_bag
from evla_ros.data.convert.gates import GATES
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.episode import Episode
from evla_ros.data.messages import HEADER_FIRST, header_stamp_ns
from evla_ros.embodiment import EmbodimentError, parse_embodiment

SECOND = 1_000_000_000
SHOWN = ("instruction", "outcome", "operator", "embodiment_name", "interventions", "state", "note")
GAP_PERIODS = 5.0


def is_bag(path: Path) -> bool:
    """Return whether the path is a rosbag2 folder or a lone storage file."""
    if path.is_file():
        return path.suffix in SUFFIXES
    if not path.is_dir():
        return False
    names = [child.name for child in path.iterdir()]
    return "metadata.yaml" in names or any(name.endswith(SUFFIXES) for name in names)


def describe_bag(path: Path) -> dict[str, Any]:
    """Read every message once; returns JSON-able facts. BagError when nothing can be read.

    Per topic: type, messages, rate [Hz], largest gap [s], median delay from stamp to receipt [s]
    and health (ok, gaps, few, empty).
    """
    with open_bag(path) as bag:
        info = bag.info
        times: dict[str, list[int]] = {name: [] for name in info.topics}
        delays: dict[str, list[int]] = {name: [] for name in info.topics}
        size = 0
        try:
            for message in bag.messages():
                times[message.topic].append(message.receive_ns)
                size += len(message.data)
                delay = _delay_ns(info, message.topic, message.receive_ns, message.data)
                if delay is not None:
                    delays[message.topic].append(delay)
        except BagError as error:
            info.damage = str(error)
    every = [stamp for stamps in times.values() for stamp in stamps]
    duration = (max(every) - min(every)) / SECOND if every else 0.0
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
            name: _describe_topic(topic.type, times[name], delays[name], duration)
            for name, topic in info.topics.items()
        },
    }


def _delay_ns(info: BagInfo, topic: str, receive_ns: int, data: bytes) -> int | None:
    if info.topics[topic].type not in HEADER_FIRST:
        return None
    try:
        stamp = header_stamp_ns(data)
    except CdrError:
        return None
    return receive_ns - stamp if stamp else None


def _describe_topic(
    kind: str, stamps: list[int], delays: list[int], duration_s: float
) -> dict[str, Any]:
    gaps = np.diff(np.array(sorted(stamps), dtype=np.float64)) / SECOND
    span = (max(stamps) - min(stamps)) / SECOND if len(stamps) > 1 else 0.0
    rate = (len(stamps) - 1) / span if span > 0 else 0.0
    largest = float(gaps.max()) if gaps.size else 0.0
    return {
        "type": kind,
        "messages": len(stamps),
        "rate_hz": round(rate, 3),
        "largest_gap_s": round(largest, 4),
        "delay_s": round(float(np.median(delays)) / SECOND, 4) if delays else None,
        "health": _health(len(stamps), rate, largest, span, duration_s),
    }


def _health(count: int, rate: float, gap: float, span: float, duration_s: float) -> str:
    if count == 0:
        return "empty"
    if count < 10:
        return "few"  # latched or commanded: no rate to judge
    if gap > GAP_PERIODS / rate or span < 0.9 * duration_s:
        return "gaps"
    return "ok"


def bag_text(description: dict[str, Any]) -> str:
    """Return the description as lines for a terminal."""
    name, seconds = Path(description["path"]).name, description["duration_s"]
    amount = f"{description['messages']} messages, {description['bytes'] / 1e6:.1f} MB"
    lines = [f"bag {name}: {seconds:.1f} s, {amount} ({description['storage']})"]
    lines += [f"  {key}: {value}" for key, value in description["episode"].items()]
    if description["damage"]:
        lines.append(f"  damaged: {description['damage']}")
    topics = description["topics"]
    width = max((len(name) for name in topics), default=5)
    lines.append(f"  {'topic':{width}}  messages     Hz  largest gap   delay  health  type")
    for name, topic in topics.items():
        delay = "      -" if topic["delay_s"] is None else f"{topic['delay_s'] * 1e3:5.0f}ms"
        lines.append(
            f"  {name:{width}}  {topic['messages']:8d}  {topic['rate_hz']:5.1f}  "
            f"{topic['largest_gap_s']:9.3f} s  {delay}  {topic['health']:6}  {topic['type']}"
        )
    return "\n".join(lines)


def bag_episode(path: Path, image_size: int = 224) -> Episode:
    """Return the bag as an episode, aligned as the converter would but with every gate open.

    Raises EvlaError when that is not possible, for example without an embodiment inside.
    """
    with open_bag(path) as bag:
        text = bag.info.custom_data.get("embodiment")
    if not text:
        raise BagError(f"{path} carries no embodiment; pictures need to know its cameras")
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
