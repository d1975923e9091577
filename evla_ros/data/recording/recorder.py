# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder: raw messages in, one bag per episode out. Knows no ROS; time is an argument."""

from __future__ import annotations

from pathlib import Path

from evla_ros.data.messages import decode_string
from evla_ros.data.recording.episode_report import EpisodeReport
from evla_ros.data.recording.episode_store import EpisodeStore
from evla_ros.data.recording.open_episode import EventKind, EventSink, OpenEpisode, ignore_event
from evla_ros.data.recording.preflight import minutes_left, preflight_problems
from evla_ros.data.recording.preroll import PrerollRing, Record
from evla_ros.data.recording.settings import RecorderSettings
from evla_ros.data.recording.topics import RecordedTopic, TopicSpec
from evla_ros.embodiment import Embodiment
from evla_ros.errors import EvlaError


class RecorderError(EvlaError):
    """A request that the recorder refuses in its present state."""


class Recorder:
    """Episodes from raw messages; every method is called from one thread."""

    def __init__(self, embodiment: Embodiment, root: Path, settings: RecorderSettings) -> None:
        self.embodiment = embodiment
        self.settings = settings
        self.store = EpisodeStore(root)
        self.topics: list[RecordedTopic] = []
        self.kept = 0
        self.discarded = 0
        self.episode: OpenEpisode | None = None
        self.last: EpisodeReport | None = None
        self.instruction = ""
        self.on_event: EventSink = ignore_event
        self.needed: frozenset[str] = frozenset()  # topics without which no episode starts
        self._ring = PrerollRing(settings.preroll_s, settings.preroll_bytes)

    def add_topic(self, spec: TopicSpec) -> int:
        """Register a topic, at any time; returns its number for `on_message`."""
        topic = RecordedTopic(spec)
        self.topics.append(topic)
        if self.episode is not None:
            self.episode.add_topic(topic)
        return len(self.topics) - 1

    def on_message(
        self,
        number: int,
        data: bytes,
        receive_ns: int,
        publish_ns: int | None = None,
        sequence: int | None = None,
    ) -> None:
        """Take one raw message: into the bag, or into the pre-roll between episodes."""
        topic = self.topics[number]
        topic.observe(data, receive_ns, sequence)
        record = Record(number, data, receive_ns, receive_ns if publish_ns is None else publish_ns)
        if topic.spec.latched:
            self._ring.push(record, latched=True)
            if topic.spec.name.endswith(self.embodiment.instruction.topic):
                self.instruction = decode_string(data)
        if self.episode is not None:
            self.episode.put(topic, record)
        elif not topic.spec.latched:
            self._ring.push(record)

    def problems(self, now_ns: int) -> list[str]:
        """Return what blocks a start."""
        health = [topic.health(now_ns) for topic in self.topics]
        known = {topic.spec.name for topic in self.topics}
        absent = [f"{name} has no publisher" for name in sorted(self.needed - known)]
        free, rate = self.store.free_bytes(), self.bytes_per_s(now_ns)
        limits = self.settings.limits
        return [*absent, *preflight_problems(health, self.instruction, free, rate, limits)]

    def bytes_per_s(self, now_ns: int) -> float:
        """Return what arrives at present [bytes/s]."""
        total = 0.0
        for topic in self.topics:
            if topic.meter.count:
                mean = topic.bytes / topic.meter.count
                total += mean * topic.meter.rate_hz(now_ns)
        return total

    def minutes_left(self, now_ns: int) -> float:
        """Return recording time left [min], -1 when unknown."""
        reserve = self.settings.limits.min_free_bytes
        return minutes_left(self.store.free_bytes(), self.bytes_per_s(now_ns), reserve)

    def start(self, now_ns: int, name: str = "") -> str:
        """Open an episode and return its id: `name`, or the time in UTC.

        RecorderError with every reason that blocks it.
        """
        if self.episode is not None:
            raise RecorderError(f"episode {self.episode.episode_id} is being recorded already")
        problems = self.problems(now_ns)
        if problems and self.settings.require_preflight:
            raise RecorderError("not started: " + "; ".join(problems))
        folder = self.store.root / name if name else self.store.new_folder(now_ns)
        for topic in self.topics:
            topic.reset_episode()
        self.episode = OpenEpisode(
            self.embodiment, self.topics, self.settings, self.instruction, folder, now_ns
        )
        self.episode.on_event = self.on_event
        for record in self._ring.drain(now_ns):
            self.episode.put(self.topics[record.topic], record)
        self.episode.event(EventKind.START, now_ns)
        return self.episode.episode_id

    def keep(self, now_ns: int, note: str = "") -> EpisodeReport:
        """Finish the episode durably and return its report."""
        episode = self._open()
        episode.event(EventKind.KEEP, now_ns)
        report = self._finish(episode, now_ns, note)
        self.kept += 1
        return report

    def discard(self, now_ns: int, note: str = "") -> EpisodeReport:
        """Finish the episode and move it to the trash."""
        episode = self._open()
        episode.event(EventKind.DISCARD, now_ns)
        report = self._finish(episode, now_ns, note or "discarded")
        self.store.discard(episode.folder)
        self.discarded += 1
        return report

    def mark(self, outcome: str, now_ns: int) -> str:
        """Label the episode in progress, else the last kept one; returns its id."""
        if self.episode is not None:
            self.episode.outcome = outcome
            kind = EventKind.MARK_SUCCESS if outcome == "success" else EventKind.MARK_FAILURE
            self.episode.event(kind, now_ns)
            return self.episode.episode_id
        if self.last is None or not Path(self.last.path).is_dir():
            raise RecorderError("there is no episode to mark; start one first")
        self.store.mark(Path(self.last.path), outcome)
        return self.last.episode_id

    def intervene(self, now_ns: int, *, on: bool) -> None:
        """Flag that a person took over, or gave back."""
        episode = self._open()
        if on == episode.intervention:
            return
        episode.intervention = on
        episode.interventions += int(on)
        kind = EventKind.INTERVENTION_ON if on else EventKind.INTERVENTION_OFF
        episode.event(kind, now_ns)

    def watch(self, now_ns: int) -> EpisodeReport | None:
        """Call about once a second: closes the episode before the disk is full, or on an error."""
        episode = self.episode
        if episode is None:
            return None
        if episode.failed:
            return self._finish(episode, now_ns, f"writing failed: {episode.failed}")
        free, reserve = self.store.free_bytes(), self.settings.limits.min_free_bytes
        if free < reserve // 2:
            note = f"closed by itself: only {free / 2**20:.0f} MiB of disk are free"
            episode.event(EventKind.ABORT, now_ns, note)
            return self._finish(episode, now_ns, note)
        return None

    def _open(self) -> OpenEpisode:
        if self.episode is None:
            raise RecorderError("no episode is being recorded; start one first")
        return self.episode

    def _finish(self, episode: OpenEpisode, now_ns: int, note: str) -> EpisodeReport:
        self.episode = None
        report = episode.close(now_ns, note)
        self.last = report
        return report
