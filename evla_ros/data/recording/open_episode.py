# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The episode that is being recorded: its bag, its marks, its numbers."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from enum import IntEnum
from pathlib import Path

from evla_ros.data.bags.definitions import definition_of
from evla_ros.data.bags.encode import encode_episode_event
from evla_ros.data.bags.writer import McapBagWriter
from evla_ros.data.recording.bag_thread import BagThread
from evla_ros.data.recording.episode_report import EpisodeReport, TopicReport
from evla_ros.data.recording.preroll import Record
from evla_ros.data.recording.settings import RecorderSettings
from evla_ros.data.recording.topics import RecordedTopic
from evla_ros.embodiment import Embodiment

SECOND = 1_000_000_000
EVENT_TOPIC = "/recorder/episode_event"
EVENT_TYPE = "evla_ros/msg/EpisodeEvent"
EventSink = Callable[[bytes], object]
OUTCOMES = {"unknown": 0, "success": 1, "failure": 2}


class EventKind(IntEnum):
    """The numbers of EpisodeEvent.msg."""

    START = 1
    KEEP = 2
    DISCARD = 3
    MARK_SUCCESS = 4
    MARK_FAILURE = 5
    INTERVENTION_ON = 6
    INTERVENTION_OFF = 7
    ABORT = 8


def ignore_event(_message: bytes) -> None:
    """Do nothing with the raw EpisodeEvent."""


class OpenEpisode:
    """The episode in progress: its bag, its outcome, its numbers."""

    def __init__(
        self,
        embodiment: Embodiment,
        topics: Sequence[RecordedTopic],
        settings: RecorderSettings,
        instruction: str,
        folder: Path,
        start_ns: int,
    ) -> None:
        """Create the bag with every known topic; `topics` may grow while it is open."""
        self._body = embodiment
        self._topics = topics
        self._operator = settings.operator
        self.instruction = instruction
        self.folder = folder
        self.episode_id = folder.name
        self.start_ns = start_ns
        self.outcome = "unknown"
        self.intervention = False
        self.interventions = 0
        self.on_event: EventSink = ignore_event
        writer = McapBagWriter(folder, self._custom_data(), settings.distro)
        self._channels: dict[int, int] = {}
        for topic in topics:
            self._register(writer, topic)
        self._events = writer.add_topic(EVENT_TOPIC, EVENT_TYPE, definition_of(EVENT_TYPE))
        writer.flush()
        self._thread = BagThread(writer, settings.queue_bytes)

    @property
    def failed(self) -> str:
        """Why writing stopped, or an empty string."""
        return "" if self._thread.error is None else str(self._thread.error)

    @property
    def queued(self) -> int:
        """Messages that wait for the disk."""
        return self._thread.queued

    @property
    def lost(self) -> int:
        """Messages that the full queue lost."""
        return sum(self._thread.lost.values())

    @property
    def messages(self) -> int:
        """Messages written."""
        return self._thread.writer.messages

    @property
    def bytes_written(self) -> int:
        """Bytes written."""
        return self._thread.writer.bytes

    def add_topic(self, topic: RecordedTopic) -> None:
        """Register a topic that appeared while recording."""
        with self._thread.paused() as writer:
            self._register(writer, topic)

    def put(self, topic: RecordedTopic, record: Record) -> None:
        """Queue one message."""
        self._thread.put(record._replace(topic=topic.channel))

    def event(self, kind: EventKind, now_ns: int, note: str = "") -> None:
        """Write a mark on the time line into the bag, and tell whoever listens."""
        seconds = (now_ns - self.start_ns) / SECOND
        data = encode_episode_event(
            now_ns,
            self._body.base_frame,
            self.episode_id,
            int(kind),
            self.instruction,
            OUTCOMES[self.outcome],
            seconds,
            note,
        )
        self._thread.put(Record(self._events, data, now_ns, now_ns))
        self.on_event(data)

    def close(self, now_ns: int, note: str) -> EpisodeReport:
        """Finish the bag and report; a write error becomes a note, the bag stays salvageable."""
        try:
            self._thread.close({**self._custom_data(), "state": "finished", "note": note})
        except OSError as error:
            note = f"writing failed: {error}; the bag is readable up to there"
        report = self._report(now_ns, note)
        with contextlib.suppress(OSError):  # a full disk; the report is on screen all the same
            report.write(self.folder)
        return report

    def _register(self, writer: McapBagWriter, topic: RecordedTopic) -> None:
        spec = topic.spec
        topic.channel = writer.add_topic(spec.name, spec.type, spec.definition, spec.qos)

    def _custom_data(self) -> dict[str, str]:
        return {
            "embodiment": self._body.text,
            "embodiment_name": self._body.name,
            "embodiment_hash": self._body.content_hash,
            "instruction": self.instruction,
            "outcome": self.outcome,
            "operator": self._operator,
            "interventions": str(self.interventions),
            "state": "recording",
        }

    def _report(self, now_ns: int, note: str) -> EpisodeReport:
        writer = self._thread.writer
        duration = max((writer.end_ns - (writer.start_ns or now_ns)) / SECOND, 1e-9)
        counts = writer.counts
        topics = [
            TopicReport(
                topic.spec.name,
                counts.get(topic.spec.name, 0),
                counts.get(topic.spec.name, 0) / duration,
                topic.meter.expected_hz,
                topic.meter.largest_gap_ns / SECOND,
                self._thread.lost.get(topic.channel, 0),
                topic.lost_transport,
            )
            for topic in self._topics
        ]
        return EpisodeReport(
            self.episode_id,
            str(self.folder),
            self.outcome,
            self.instruction,
            duration,
            writer.messages,
            writer.bytes / 1e6,
            sum(t.lost_queue + t.lost_transport for t in topics),
            self.interventions,
            topics,
            note,
        )
