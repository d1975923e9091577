# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A report of what an episode holds: messages, rate, largest gap and losses of every topic."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class TopicReport:
    """One topic of one episode.

    Attributes:
        name: The topic.
        messages: Messages written.
        rate_hz: Mean rate over the episode.
        expected_hz: The rate it should have; 0 for an irregular topic.
        largest_gap_s: The longest time between two messages [s].
        lost_queue: Messages lost because the writer's queue was full.
        lost_transport: Messages missing in the sender's sequence numbers.
    """

    name: str
    messages: int
    rate_hz: float
    expected_hz: float
    largest_gap_s: float
    lost_queue: int
    lost_transport: int


@dataclass(frozen=True)
class EpisodeReport:
    """One finished episode."""

    episode_id: str
    path: str
    outcome: str
    instruction: str
    duration_s: float
    messages: int
    megabytes: float
    lost: int
    interventions: int
    topics: Sequence[TopicReport]
    note: str = ""
    complete: bool = True  # False: writing failed, the note says of what
    converter: Sequence[str] = ()  # what `evla convert` would say of it; empty: all is well

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)

    def write(self, folder: Path) -> None:
        """Write report.json into the bag's folder."""
        text = json.dumps(self.to_json(), indent=1)
        (folder / "report.json").write_text(text + "\n", encoding="utf-8")

    def text(self) -> str:
        """Return a summary line, followed by one for each topic that is not as it should be."""
        amounts = f"{self.messages} messages, {self.megabytes:.1f} MB, {self.lost} lost"
        lines = [
            f"{self.episode_id}: {self.duration_s:.1f} s, {amounts}, outcome {self.outcome}",
        ]
        if self.note:
            lines.append(f"  {self.note}")
        lines += [f"  evla convert: {sentence}" for sentence in self.converter]
        for topic in self.topics:
            slow = topic.expected_hz > 0 and topic.rate_hz < 0.9 * topic.expected_hz
            lost = topic.lost_queue + topic.lost_transport
            if slow or lost:
                lines.append(
                    f"  {topic.name}: {topic.rate_hz:.1f} of {topic.expected_hz:.1f} Hz, "
                    f"largest gap {topic.largest_gap_s:.2f} s, lost {lost}"
                )
        return "\n".join(lines)
