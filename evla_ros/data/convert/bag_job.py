# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert one bag into staged episodes: the function that every engine calls for every bag."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from evla_ros.data.bags.reader import open_bag
from evla_ros.data.bags.types import Bag, BagError
from evla_ros.data.convert.build import EpisodeFacts, EpisodeRefusedError, build_episodes
from evla_ros.data.convert.collect import Collected, collect
from evla_ros.data.convert.columns import TickColumns
from evla_ros.data.convert.dataset_features import bag_features
from evla_ros.data.convert.gates import Gates
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.episode import Episode
from evla_ros.data.messages import decode_string
from evla_ros.data.rlds.staging import stage_episode
from evla_ros.embodiment import Embodiment, EmbodimentError, differences, parse_embodiment
from evla_ros.errors import EvlaError

Status = Literal["kept", "dropped", "quarantined"]
OUTCOMES = {0: "unknown", 1: "success", 2: "failure"}
INTERVENTION_ON, INTERVENTION_OFF = 6, 7
FAR_FUTURE_NS = 1 << 62


@dataclass(frozen=True)
class BagResult:
    """What became of one bag; JSON-able, for the manifest and the report."""

    bag: str
    status: Status
    reason: str = ""
    episode_ids: tuple[str, ...] = ()
    steps: int = 0
    frames: int = 0
    outcome: str = "unknown"
    message_hash: str = ""
    damage: str = ""
    camera_sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    lost_ticks: int = 0
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(values: dict[str, Any]) -> BagResult:
        """Read back what `to_json` gave."""
        sizes = {name: (int(h), int(w)) for name, (h, w) in values["camera_sizes"].items()}
        ids = tuple(values["episode_ids"])
        return BagResult(**{**values, "camera_sizes": sizes, "episode_ids": ids})


def convert_bag(path: Path, options: ConvertOptions, staging: Path) -> BagResult:
    """Convert one bag; a fault of the bag is a result with a reason, not an exception."""
    started = time.perf_counter()
    try:
        result = _convert(path, options, staging)
    except BagError as error:
        result = BagResult(str(path), "quarantined", str(error))
    except EvlaError as error:
        result = BagResult(str(path), "dropped", str(error))
    seconds = time.perf_counter() - started
    return BagResult(**{**result.__dict__, "seconds": round(seconds, 4)})


class ReadBag(NamedTuple):
    """A bag as episodes, and what reading it told."""

    episodes: list[Episode]
    columns: TickColumns
    facts: EpisodeFacts
    message_hash: str
    damage: str


def read_bag(path: Path, options: ConvertOptions) -> ReadBag:
    """Align, derive and check one bag; raises the EvlaError that makes it unusable."""
    embodiment = options.embodiment()
    with open_bag(path) as bag:
        _check_embodiment(bag, embodiment, options)
        columns = TickColumns(embodiment, options)
        collected = collect(bag, embodiment, options, columns)
        if collected.waiting_for:
            raise EpisodeRefusedError(f"no message of {', '.join(collected.waiting_for)}")
        facts = _facts(path, bag, collected, embodiment, options)
        damage = bag.info.damage or ""
    if facts.outcome == "unknown" and options.unlabelled == "skip":
        raise EpisodeRefusedError("it has no outcome and unlabelled episodes are skipped")
    episodes = build_episodes(columns, facts, embodiment, options)
    return ReadBag(episodes, columns, facts, collected.message_hash, damage)


def _convert(path: Path, options: ConvertOptions, staging: Path) -> BagResult:
    read = read_bag(path, options)
    features = bag_features(options.embodiment(), options.image_size)
    for episode in read.episodes:
        stage_episode(staging, episode, features)
    cameras = read.columns.cameras
    return BagResult(
        str(path),
        "kept",
        episode_ids=tuple(episode.episode_id for episode in read.episodes),
        steps=sum(len(episode) for episode in read.episodes),
        frames=sum(len(set(camera.pictures)) for camera in cameras.values()),
        outcome=read.facts.outcome,
        message_hash=read.message_hash,
        damage=read.damage,
        camera_sizes={name: next(iter(c.sizes)) for name, c in cameras.items() if c.sizes},
        lost_ticks=read.columns.complete.count(False),
    )


def _check_embodiment(bag: Bag, embodiment: Embodiment, options: ConvertOptions) -> None:
    text = bag.info.custom_data.get("embodiment")
    if not text:
        return
    try:
        theirs = parse_embodiment(text, source=f"the embodiment inside {bag.info.path.name}")
    except EmbodimentError:
        return  # written by another version; the topics decide
    if theirs.content_hash != embodiment.content_hash:
        lines = "; ".join(differences(embodiment, theirs)[:3])
        Gates(options.allow).fail("embodiment", f"recorded with another embodiment: {lines}")


def _facts(
    path: Path, bag: Bag, found: Collected, embodiment: Embodiment, options: ConvertOptions
) -> EpisodeFacts:
    custom = bag.info.custom_data
    outcome = custom.get("outcome") or (
        OUTCOMES.get(found.events[-1][1].outcome, "unknown") if found.events else "unknown"
    )
    damage = bag.info.damage or ""
    if damage or outcome not in ("success", "failure"):
        outcome = "unknown"  # the end of a cut-off recording is not there to be judged
    success = outcome == "success" or (outcome == "unknown" and options.unlabelled != "failure")
    first = "" if found.first_instruction is None else decode_string(found.first_instruction)
    return EpisodeFacts(
        episode_id=f"{path.stem if path.is_file() else path.name}-{found.message_hash[:8]}",
        outcome=outcome,
        success=success,
        instruction=first or custom.get("instruction", ""),
        interventions=intervention_spans(found),
        metadata={
            "operator": custom.get("operator", ""),
            "bag": path.name,
            "bag_hash": found.message_hash,
            "embodiment_hash": embodiment.content_hash,
            "action_source": options.action_source(embodiment),
            "damage": damage,
        },
    )


def intervention_spans(found: Collected) -> list[tuple[int, int]]:
    """Return the [start, stop) times in which a person had taken over, from the events."""
    spans: list[tuple[int, int]] = []
    start: int | None = None
    for stamp, event in found.events:
        if event.kind == INTERVENTION_ON and start is None:
            start = stamp
        elif event.kind == INTERVENTION_OFF and start is not None:
            spans.append((start, stamp))
            start = None
    if start is not None:
        spans.append((start, FAR_FUTURE_NS))
    return spans
