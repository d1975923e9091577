# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder: takes raw messages and writes one bag for each episode.

It does not depend on ROS, and every method that needs the time takes it as an argument.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.verdict import judge
from evla_ros.data.messages import decode_string
from evla_ros.data.recording.ending import Ending
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
    """Records episodes from raw messages; all methods are called from one thread."""

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
        self.commanded: frozenset[str] = frozenset()  # topics that actions are made of
        self.wished: frozenset[str] = frozenset()  # asked for, but an episode can do without
        self.unusable: dict[str, str] = {}  # topics that cannot be heard, each with the reason
        self._ring = PrerollRing(settings.preroll_s, settings.preroll_bytes)

    def add_topic(self, spec: TopicSpec) -> int:
        """Register a topic, at any time, and return its number for `on_message`."""
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
        """Take one raw message, for the bag or, between episodes, for the pre-roll.

        Args:
            number: The number of the topic from `add_topic`.
            data: The message as CDR bytes.
            receive_ns: When it was received [ns].
            publish_ns: When it was published [ns], if known.
            sequence: The sender's sequence number, if known; gaps in it are counted as losses.

        Raises:
            CdrError: An instruction cannot be read; it is recorded all the same.
        """
        topic = self.topics[number]
        topic.observe(data, receive_ns, sequence)
        record = Record(number, data, receive_ns, receive_ns if publish_ns is None else publish_ns)
        if topic.spec.latched:
            self._ring.push(record, latched=True)
        if self.episode is not None:
            self.episode.put(topic, record)
        elif not topic.spec.latched:
            self._ring.push(record)
        if topic.spec.latched and topic.spec.name.endswith(self.embodiment.instruction.topic):
            self.instruction = ""  # none, where the new one cannot be read
            self.instruction = decode_string(data)

    def problems(self, now_ns: int) -> list[str]:
        """Return the problems that block a start; empty when there are none."""
        health = [topic.health(now_ns) for topic in self.topics]
        known = {topic.spec.name for topic in self.topics}
        absent = self._absent(self.needed - known)
        absent += [
            f"{name} has no publisher, and actions are made of its goals (action.source: commanded "
            "in the embodiment file): start what sends them, or set action.source: achieved"
            for name in sorted(self.commanded - known)
        ]
        free, rate = self.store.free_bytes(), self.bytes_per_s(now_ns)
        limits = self.settings.limits
        return [*absent, *preflight_problems(health, self.instruction, free, rate, limits)]

    def left_out(self) -> list[str]:
        """Return a sentence for each topic that was asked for and is not in the bag at present."""
        known = {topic.spec.name for topic in self.topics}
        return self._absent((self.wished | self.needed) - known)

    def _absent(self, names: Iterable[str]) -> list[str]:
        return [f"{name} {self.unusable.get(name, 'has no publisher')}" for name in sorted(names)]

    def bytes_per_s(self, now_ns: int) -> float:
        """Return how much data arrives at present [bytes/s]."""
        total = 0.0
        for topic in self.topics:
            if topic.meter.count:
                mean = topic.bytes / topic.meter.count
                total += mean * topic.meter.rate_hz(now_ns)
        return total

    def minutes_left(self, now_ns: int) -> float:
        """Return the recording time left [min], or -1 when it is unknown."""
        reserve = self.settings.limits.min_free_bytes
        return minutes_left(self.store.free_bytes(), self.bytes_per_s(now_ns), reserve)

    def start(self, now_ns: int, name: str = "") -> str:
        """Start an episode and return its id.

        Args:
            now_ns: The time [ns].
            name: The id; empty takes the UTC time.

        Raises:
            RecorderError: An episode is in progress, or something blocks a start; all reasons are
                listed.
        """
        if self.episode is not None:
            raise RecorderError(f"episode {self.episode.episode_id} is being recorded already")
        problems = self.problems(now_ns)
        if problems and self.settings.require_preflight:
            raise RecorderError("not started: " + "; ".join(problems))
        folder = self.store.root / name if name else self.store.new_folder(now_ns)
        for topic in self.topics:
            topic.reset_episode()
        self.episode = self._new_episode(folder, now_ns)
        self.episode.on_event = self.on_event
        for record in self._ring.drain(now_ns):
            self.episode.put(self.topics[record.topic], record)
        self.episode.event(EventKind.START, now_ns)
        self.episode.flush()
        return self.episode.episode_id

    def end(self, kind: EventKind, now_ns: int, note: str = "") -> Ending:
        """Take no more messages into the episode; calling what is returned finishes it.

        Args:
            kind: KEEP, or DISCARD, which moves the episode to the trash.
            now_ns: The time [ns].
            note: What the report shall say.

        Raises:
            RecorderError: No episode is being recorded.
        """
        episode = self._open()
        episode.event(kind, now_ns)
        return self._ending(episode, kind, now_ns, note)

    def keep(self, now_ns: int, note: str = "") -> EpisodeReport:
        """Finish the episode durably; its report says whether all of it could be written."""
        return self.end(EventKind.KEEP, now_ns, note)()

    def discard(self, now_ns: int, note: str = "") -> EpisodeReport:
        """Finish the episode, move it to the trash, and return its report."""
        return self.end(EventKind.DISCARD, now_ns, note or "discarded")()

    def mark(self, outcome: str, now_ns: int) -> str:
        """Set the outcome of the episode in progress, else of the last one kept; return its id."""
        if self.episode is not None:
            self.episode.outcome = outcome
            kind = EventKind.MARK_SUCCESS if outcome == "success" else EventKind.MARK_FAILURE
            self.episode.event(kind, now_ns)
            return self.episode.episode_id
        if self.last is None or not Path(self.last.path).is_dir():
            raise RecorderError("there is no episode to mark; start one first")
        try:
            self.store.mark(Path(self.last.path), outcome)
        except OSError as error:
            raise RecorderError(f"{self.last.episode_id} cannot be marked: {error}") from error
        return self.last.episode_id

    def intervene(self, now_ns: int, *, on: bool) -> None:
        """Record that a person took control, or gave it back."""
        episode = self._open()
        if on == episode.intervention:
            return
        episode.intervention = on
        episode.interventions += int(on)
        kind = EventKind.INTERVENTION_ON if on else EventKind.INTERVENTION_OFF
        episode.event(kind, now_ns)

    def note_command(self, now_ns: int, note: str) -> None:
        """Record what a person asked for at a console; between episodes it is nothing to record."""
        if self.episode is not None:
            self.episode.event(EventKind.COMMAND, now_ns, note)

    def watch(self, now_ns: int) -> Ending | None:
        """End the episode when the disk is almost full or writing failed; call it every second.

        Returns:
            What finishes the episode that was ended, else None.
        """
        episode = self.episode
        if episode is None:
            return None
        if episode.failed:
            note = f"writing failed: {episode.failed}"
            return self._ending(episode, EventKind.ABORT, now_ns, note)
        free, reserve = self.store.free_bytes(), self.settings.limits.min_free_bytes
        if free < reserve // 2:
            note = f"closed by itself: only {free / 2**20:.0f} MiB of disk are free"
            episode.event(EventKind.ABORT, now_ns, note)
            return self._ending(episode, EventKind.ABORT, now_ns, note)
        return None

    def _new_episode(self, folder: Path, now_ns: int) -> OpenEpisode:
        try:
            return OpenEpisode(
                self.embodiment, self.topics, self.settings, self.instruction, folder, now_ns
            )
        except OSError as error:
            self.store.forget(folder)
            raise RecorderError(
                f"not started: the bag cannot be created: {error}; free some of the disk, or "
                "record into a folder that can be written to (output)"
            ) from error

    def _open(self) -> OpenEpisode:
        if self.episode is None:
            raise RecorderError("no episode is being recorded; start one first")
        return self.episode

    def _ending(self, episode: OpenEpisode, kind: EventKind, now_ns: int, note: str) -> Ending:
        self.episode = None
        return Ending(partial(self._finish, episode, kind, now_ns, note), episode.episode_id)

    def _finish(
        self, episode: OpenEpisode, kind: EventKind, now_ns: int, note: str
    ) -> EpisodeReport:
        report = episode.close(now_ns, note)
        if kind is EventKind.KEEP and report.complete and self.settings.check_episodes:
            report = self._judged(report, episode.folder)
        self.last = report
        if kind is EventKind.KEEP:
            self.kept += report.complete
        if kind is EventKind.DISCARD:
            self._throw_away(episode)
        return report

    def _judged(self, report: EpisodeReport, folder: Path) -> EpisodeReport:
        """Return the report with what the converter would say of the episode."""
        verdict = judge(folder, ConvertOptions(self.embodiment.text), pictures=False)
        if verdict.fine:
            return report
        report = replace(report, converter=tuple(verdict.lines))
        with contextlib.suppress(OSError):  # the disk may be full; the report is also printed
            report.write(folder)
        return report

    def _throw_away(self, episode: OpenEpisode) -> None:
        try:
            self.store.discard(episode.folder)
        except OSError as error:
            raise RecorderError(
                f"{episode.episode_id} is ended, but stays in {self.store.root}: it cannot be "
                f"moved to the trash ({error})"
            ) from error
        self.discarded += 1
