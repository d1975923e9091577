# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convert one bag into staged episodes: the function that every engine calls for every bag."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from evla_ros.data.alignment.spans import complete_spans
from evla_ros.data.bags.reader import open_bag
from evla_ros.data.bags.types import Bag, BagError
from evla_ros.data.convert.bag_places import bag_here
from evla_ros.data.convert.build import (
    Built,
    EpisodeLabels,
    EpisodeRefusedError,
    build_episodes,
)
from evla_ros.data.convert.collect import collect
from evla_ros.data.convert.collected import Collected
from evla_ros.data.convert.columns import TickColumns
from evla_ros.data.convert.dataset_features import bag_features
from evla_ros.data.convert.extras import left_in_the_bag, resolved_for
from evla_ros.data.convert.facts import Facts
from evla_ros.data.convert.gates import Gates
from evla_ros.data.convert.loss import stale_text
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.episode import Episode
from evla_ros.data.remote.store import RemoteError
from evla_ros.data.rlds.staging import stage_episode
from evla_ros.embodiment import Embodiment, EmbodimentError, differences, parse_embodiment
from evla_ros.errors import EvlaError, shorten, shown

Status = Literal["kept", "dropped", "quarantined"]
OUTCOMES = {0: "unknown", 1: "success", 2: "failure"}
INTERVENTION_ON, INTERVENTION_OFF = 6, 7
FAR_FUTURE_NS = 1 << 62


@dataclass(frozen=True)
class BagResult:
    """The outcome of converting one bag, as plain values for the manifest and the report.

    Attributes:
        bag: Path of the bag.
        status: `kept`; `dropped` (sound, but no usable episode); `quarantined` (unreadable).
        reason: Why it was not kept.
        episode_ids: The episodes that it gave.
        steps: Steps of all its episodes.
        frames: Encoded pictures of all its cameras.
        outcome: `success`, `failure` or `unknown`.
        message_hash: SHA-256 over the messages that were read, to recognise the same recording.
        damage: What was lost of a damaged bag; empty for a sound one.
        camera_sizes: Recorded (height, width) by camera [pixels].
        lost_ticks: Ticks at which some required stream had no fresh sample.
        ticks: Ticks that the recording has, from its first to its last sample.
        used_ticks: Those that its episodes are made of, before idle steps are dropped.
        loss: Which streams cost the others, and what would help.
        notes: What was found and done on the way, in sentences.
        seconds: How long the conversion took [s].
    """

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
    ticks: int = 0
    used_ticks: int = 0
    loss: str = ""
    notes: tuple[str, ...] = ()
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    @staticmethod
    def from_json(values: dict[str, Any]) -> BagResult:
        """Return the result that `to_json` was called on."""
        sizes = {name: (int(h), int(w)) for name, (h, w) in values["camera_sizes"].items()}
        texts = {name: tuple(values[name]) for name in ("episode_ids", "notes")}
        return BagResult(**{**values, "camera_sizes": sizes, **texts})

    @property
    def lost_share(self) -> float:
        """The share of the recording's ticks that are in no episode, 0 to 1."""
        return 1.0 - self.used_ticks / self.ticks if self.ticks else 0.0


def convert_bag(path: Path, options: ConvertOptions, staging: Path) -> BagResult:
    """Convert one bag into the staging folder.

    An error in the bag does not raise: it becomes the status and the reason of the result.

    Args:
        path: The bag, a folder or a file, or the URI of one.
        options: How to convert it.
        staging: The folder that finished episodes are written to.
    """
    started = time.perf_counter()
    try:
        with bag_here(path) as local:
            result = _convert(local, options, staging)
    except (BagError, RemoteError) as error:
        result = BagResult(str(path), "quarantined", str(error))
    except EvlaError as error:
        result = BagResult(str(path), "dropped", str(error))
    seconds = time.perf_counter() - started
    return replace(result, bag=str(path), seconds=round(seconds, 4))


class ReadBag(NamedTuple):
    """The episodes of one bag, with what else was learned from reading it."""

    built: Built
    columns: TickColumns
    labels: EpisodeLabels
    collected: Collected
    damage: str

    loss: str

    @property
    def episodes(self) -> list[Episode]:
        """The episodes."""
        return self.built.episodes

    @property
    def ticks(self) -> int:
        """Ticks that the recording has, from its first to its last sample."""
        return len(self.columns.complete) + self.collected.unseen_ticks

    @property
    def used_ticks(self) -> int:
        """Ticks that its episodes are made of."""
        return sum(span.length for span in self.built.spans)

    @property
    def lost_share(self) -> float:
        """The share of the ticks that are in no episode, 0 to 1."""
        return 1.0 - self.used_ticks / self.ticks if self.ticks else 0.0


def read_bag(path: Path, options: ConvertOptions, *, pictures: bool = True) -> ReadBag:
    """Read one bag, align its streams, derive the actions and check the values.

    Args:
        path: The bag.
        options: How it is converted.
        pictures: Decode the pictures; without them the episodes have none that can be stored.

    Raises:
        EvlaError: The bag cannot be read or gives no usable episode; the message says why.
    """
    try:
        return _read(path, options, pictures=pictures)
    except EvlaError:
        raise
    except Exception as error:  # whatever is in a bag, the others are still converted
        fault = f"{type(error).__name__}: {shorten(str(error), 200)}"
        raise BagError(f"unexpected {fault} (a fault of evla: please report this bag)") from error


def _read(path: Path, options: ConvertOptions, *, pictures: bool) -> ReadBag:
    embodiment = options.embodiment()
    with open_bag(path) as bag:
        options = resolved_for(options, bag)
        _check_embodiment(bag, embodiment, options)
        columns = TickColumns(embodiment, options, pictures=pictures)
        collected = collect(bag, embodiment, options, columns)
        if collected.waiting_for:
            silent = "; ".join(f"{name}: {why}" for name, why in collected.waiting_for.items())
            raise EpisodeRefusedError(f"no usable message of {silent}")
        columns.cuts, columns.late = collected.cuts, collected.late
        columns.hints = collected.hints
        collected.notes += columns.settle()
        beside = left_in_the_bag(embodiment, bag, options.extras or ())
        collected.notes += [f"{key} stays in the bag: {why}" for key, why in beside.items()]
        labels = _labels(path, bag, collected, embodiment, options)
        damage = bag.info.damage or ""
    if labels.outcome == "unknown" and options.unlabelled == "skip":
        raise EpisodeRefusedError("it has no outcome and unlabelled episodes are skipped")
    built = build_episodes(columns, labels, embodiment, options)
    facts = Facts(columns, built.spans, collected.ranges, embodiment, Gates(options.allow))
    collected.notes += facts.check(options.action_source(embodiment))
    return ReadBag(built, columns, labels, collected, damage, _loss(columns, options))


def _convert(path: Path, options: ConvertOptions, staging: Path) -> BagResult:
    read = read_bag(path, options)
    extras = [rows.column for rows in read.columns.extras.values()]
    features = bag_features(options.embodiment(), options.image_size, extras)
    for episode in read.episodes:
        stage_episode(staging, episode, features)
    cameras, columns = read.columns.cameras, read.columns
    return BagResult(
        str(path),
        "kept",
        episode_ids=tuple(episode.episode_id for episode in read.episodes),
        steps=sum(len(episode) for episode in read.episodes),
        frames=sum(len(set(camera.pictures)) for camera in cameras.values()),
        outcome=read.labels.outcome,
        message_hash=read.collected.message_hash,
        damage=read.damage,
        camera_sizes={name: c.size for name, c in cameras.items() if c.size is not None},
        lost_ticks=columns.complete.count(False),
        ticks=read.ticks,
        used_ticks=read.used_ticks,
        loss=read.loss if read.used_ticks < read.ticks else "",
        notes=tuple(read.collected.notes),
    )


def _loss(columns: TickColumns, options: ConvertOptions) -> str:
    """Return why ticks are in no episode, and what would keep more of them."""
    text = stale_text(columns.stale, columns.late, columns.hints, len(columns.cuts))
    parts = len(complete_spans(columns.complete, columns.cuts))
    if parts > 1 and options.on_gap == "longest":
        text += f"; --on-gap split keeps all {parts} parts that are long enough"
    return text


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


def _labels(
    path: Path, bag: Bag, found: Collected, embodiment: Embodiment, options: ConvertOptions
) -> EpisodeLabels:
    custom = bag.info.custom_data
    outcome = custom.get("outcome") or (
        OUTCOMES.get(found.events[-1][1].outcome, "unknown") if found.events else "unknown"
    )
    damage = bag.info.damage or ""
    if damage or outcome not in ("success", "failure"):
        outcome = "unknown"  # a cut-off recording does not show how the task ended
    success = outcome == "success" or (outcome == "unknown" and options.unlabelled != "failure")
    first = found.first_instruction or ""
    return EpisodeLabels(
        episode_id=f"{shown(path.stem if path.is_file() else path.name)}-{found.message_hash[:8]}",
        outcome=outcome,
        success=success,
        instruction=first or custom.get("instruction", ""),
        interventions=intervention_spans(found),
        metadata={
            "operator": custom.get("operator", ""),
            "bag": shown(path.name),
            "bag_hash": found.message_hash,
            "embodiment_hash": embodiment.content_hash,
            "action_source": options.action_source(embodiment),
            "damage": damage,
        },
    )


def intervention_spans(found: Collected) -> list[tuple[int, int]]:
    """Return the [start, stop) times [ns] in which a person was in control, from the events."""
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
