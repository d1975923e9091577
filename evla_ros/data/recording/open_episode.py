# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The episode that is being recorded: its bag, its events and its counters."""

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
from evla_ros.units import SECOND_NS

EVENT_TOPIC = "/recorder/episode_event"
EVENT_TYPE = "evla_ros/msg/EpisodeEvent"
EventSink = Callable[[bytes], object]
OUTCOMES = {"unknown": 0, "success": 1, "failure": 2}


class EventKind(IntEnum):
    """The kinds of events, with the numbers of EpisodeEvent.msg."""

    START = 1
    KEEP = 2
    DISCARD = 3
    MARK_SUCCESS = 4
    MARK_FAILURE = 5
    INTERVENTION_ON = 6
    INTERVENTION_OFF = 7
    ABORT = 8
    COMMAND = 9


def ignore_event(_message: bytes) -> None:
    """Ignore an event; the default for whoever wants the raw EpisodeEvent messages."""


class OpenEpisode:
    """The episode in progress."""

    def __init__(
        self,
        embodiment: Embodiment,
        topics: Sequence[RecordedTopic],
        settings: RecorderSettings,
        instruction: str,
        folder: Path,
        start_ns: int,
    ) -> None:
        """Create the bag with every known topic; further topics may be added while it is open.

        Raises:
            BagError: The bag's folder exists already.
        """
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
        for topic in topics:
            self._register(writer, topic)
        self._events = writer.add_topic(EVENT_TOPIC, EVENT_TYPE, definition_of(EVENT_TYPE))
        writer.flush()
        self._thread = BagThread(writer, settings.queue_bytes)

    @property
    def failed(self) -> str:
        """Why writing stopped; empty while all is well."""
        error = self._thread.error
        if error is None or isinstance(error, OSError):
            return "" if error is None else str(error)
        return f"{type(error).__name__}: {error}"

    @property
    def queued(self) -> int:
        """The number of messages that wait to be written."""
        return self._thread.queued

    @property
    def lost(self) -> int:
        """The number of messages lost because the queue was full."""
        return sum(self._thread.lost.values())

    @property
    def messages(self) -> int:
        """The number of messages written."""
        return self._thread.writer.messages

    @property
    def bytes_written(self) -> int:
        """The number of bytes written."""
        return self._thread.writer.bytes

    def add_topic(self, topic: RecordedTopic) -> None:
        """Register a topic that appeared while recording."""
        try:
            with self._thread.paused() as writer:
                self._register(writer, topic)
        except Exception as error:  # noqa: BLE001 - as for a message: `watch` ends the episode
            self._thread.fail(error)

    def flush(self) -> None:
        """Hand what is queued to the disk as soon as it is written."""
        self._thread.flush()

    def put(self, topic: RecordedTopic, record: Record) -> None:
        """Queue one message."""
        self._thread.put(record._replace(topic=topic.channel))

    def event(self, kind: EventKind, now_ns: int, note: str = "") -> None:
        """Write an event into the bag and pass it to the listener."""
        seconds = (now_ns - self.start_ns) / SECOND_NS
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
        """Finish the bag and return the report.

        A write error does not raise: it becomes the note of the report, and the bag can be
        salvaged.
        """
        try:
            self._thread.close({**self._custom_data(), "state": "finished", "note": note})
        except Exception:  # noqa: BLE001 - in the report, with what is lost
            note = f"writing failed: {self.failed}; the bag is readable up to there"
        report = self._report(now_ns, note)
        with contextlib.suppress(OSError):  # the disk may be full; the report is also printed
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
        duration = max((writer.end_ns - (writer.start_ns or now_ns)) / SECOND_NS, 1e-9)
        gone = self._thread.unconfirmed
        counts = {t.channel: writer.counts.get(t.spec.name, 0) for t in self._topics}
        topics = [
            TopicReport(
                topic.spec.name,
                counts[topic.channel] - gone[topic.channel],
                (counts[topic.channel] - gone[topic.channel]) / duration,
                topic.meter.expected_hz,
                topic.meter.largest_gap_ns / SECOND_NS,
                self._thread.lost[topic.channel],
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
            writer.messages - gone.total(),
            writer.bytes / 1e6,
            sum(t.lost_queue + t.lost_transport for t in topics),
            self.interventions,
            topics,
            note,
            not self.failed,
        )
