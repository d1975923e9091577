# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node `recorder`: raw messages into one bag per episode, driven by services."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.task import Future
from std_srvs.srv import SetBool, Trigger

from evla_ros.data.recording.episode_report import EpisodeReport
from evla_ros.data.recording.open_episode import EventKind
from evla_ros.data.recording.recorder import Recorder
from evla_ros.embodiment import load_embodiment
from evla_ros.embodiment.streams import BOOL
from evla_ros.errors import EvlaError
from evla_ros.msg import EpisodeEvent, RecorderStatus
from evla_ros.ros.background import Background
from evla_ros.ros.lifecycle import ManagedNode
from evla_ros.ros.qos import latched, reliable
from evla_ros.ros.recorder.parameters import TABLE, settings_of
from evla_ros.ros.recorder.status import status_message
from evla_ros.ros.recorder.topics import RecorderTopics, RequestedTopic, embodiment_topics
from evla_ros.srv import SetInstruction

_WATCH_S = 0.5
Answer = str | Awaitable[str]


class RecorderNode(ManagedNode):
    """Configured, it listens and learns the rates; active, it records when asked."""

    def __init__(self, **arguments: Any) -> None:
        """Declare parameters; everything else waits for configure."""
        super().__init__("recorder", TABLE, **arguments)
        self._recorder: Recorder | None = None
        self._topics: RecorderTopics | None = None
        self._background: Background | None = None
        self._aborted: Future | None = None
        self._text = ""
        self._start_at_ns: int | None = None

    # -- lifecycle --

    def _configure(self, values: dict[str, Any]) -> None:
        """Subscribe, learn the rates, offer the services."""
        embodiment = load_embodiment(values["embodiment"])
        output = Path(values["output"]).expanduser()
        self._countdown_ns = round(values["countdown_s"] * 1e9)
        self._recorder = Recorder(embodiment, output, settings_of(values))
        self._background = Background(self)
        names = (name.strip() for name in values["extra_topics"].split(","))
        extra = [RequestedTopic(name, wished=True) for name in names if name]
        self._topics = RecorderTopics(
            self,
            self._recorder,
            [*embodiment_topics(embodiment), *extra],
            everything=values["all_topics"],
            depth=values["depth"],
            on_failure=self._on_failure,
        )
        self._status = self.publish_on("~/status", RecorderStatus, latched())
        events = self.publish_on("~/episode_event", EpisodeEvent, reliable())
        self._recorder.on_event = events.publish
        if values["intervention_topic"]:
            self.listen_to_all(values["intervention_topic"], BOOL, self._on_flag)
        if values["command_topic"]:
            topic = values["command_topic"]
            self.listen(topic, EpisodeEvent, self._on_command, reliable(50))
        self._offer_services()
        self.get_logger().info(
            f"recording {embodiment.name} into {output}; begin with {self.get_name()}/start"
        )
        self.repeat(1.0 / values["status_rate_hz"], self._publish_status)
        self.repeat(_WATCH_S, self._watch)
        self._watch()

    def _offer_services(self) -> None:
        triggers: dict[str, Callable[[], Answer]] = {
            "start": self._start,
            "keep": self._keep,
            "discard": self._discard,
            "toggle": self._toggle,
            "mark_success": lambda: self._mark("success"),
            "mark_failure": lambda: self._mark("failure"),
            "toggle_intervention": self._toggle_intervention,
        }
        for name, action in triggers.items():
            self.serve(f"~/{name}", Trigger, partial(self._on_trigger, action))
        self.serve("~/set_instruction", SetInstruction, self._set_instruction)
        self.serve(
            "~/intervention",
            SetBool,
            lambda request: self._told(lambda: self._intervene(on=request.data)),
        )

    def _deactivate(self, *, shutting_down: bool) -> None:  # noqa: ARG002 - either way
        """Keep the episode in progress, and accept no other."""
        self._start_at_ns = None
        if self._recorder is not None and self._recorder.episode is not None:
            report = self._recorder.keep(self._now_ns(), "kept when the recorder was stopped")
            self.get_logger().warning(report.text())

    def _clean_up(self) -> None:
        """Let every topic go, and wait for what is being written."""
        if self._topics is not None:
            self._topics.close()
        if self._background is not None:
            self._background.close()
        self._background = self._aborted = None
        self._topics, self._recorder = None, None

    def _on_failure(self, sentence: str) -> None:
        """Show it in the status."""
        self._text = sentence

    # -- services --

    def _on_trigger(self, action: Callable[[], Answer], _: Trigger.Request) -> Answer:
        return self._told(action)

    async def _told(self, action: Callable[[], Answer]) -> str:
        """Do what an operator asks for, and show in the status what came of it."""
        try:
            answer = action()
            self._text = answer if isinstance(answer, str) else await answer
        except EvlaError as error:
            self._text = str(error)
            self.get_logger().warning(self._text)
            raise
        finally:
            self._publish_status()
        return self._text

    def _start(self) -> str:
        recorder = self._ready()
        if self._countdown_ns == 0:
            left_out = "".join(f"; {sentence}" for sentence in recorder.left_out())
            return f"recording {recorder.start(self._now_ns())}{left_out}"
        problems = recorder.problems(self._now_ns()) if recorder.settings.require_preflight else []
        if problems:
            raise EvlaError("not started: " + "; ".join(problems))
        self._start_at_ns = self._now_ns() + self._countdown_ns
        return f"recording starts in {self._countdown_ns / 1e9:g} s"

    async def _keep(self) -> str:
        report = await self._finish(EventKind.KEEP)
        if not report.complete:
            raise EvlaError(report.text())
        self.get_logger().info(report.text())
        return report.text()

    async def _discard(self) -> str:
        if self._start_at_ns is not None:
            self._start_at_ns = None
            return "the start was called off"
        return f"discarded {(await self._finish(EventKind.DISCARD)).episode_id}"

    def _set_instruction(self, request: SetInstruction.Request) -> str:
        if self._topics is None:
            raise EvlaError("the recorder is not configured; configure it first")
        self._topics.say_instruction(request.instruction)
        return "taken"

    def _toggle(self) -> Answer:
        return self._start() if self._ready().episode is None else self._keep()

    async def _mark(self, outcome: str) -> str:
        recorder = self._ready()
        if recorder.episode is None:
            await self._slowly(lambda: None)  # the last one may still be on its way
        return f"{recorder.mark(outcome, self._now_ns())} is marked as {outcome}"

    async def _finish(self, kind: EventKind) -> EpisodeReport:
        """End the episode; what the disk takes time for leaves the executor free."""
        ending = self._ready().end(kind, self._now_ns())
        self._text = f"{ending.episode_id} is being written to the disk"
        self._publish_status()
        report: EpisodeReport = await self._slowly(ending.finish)
        return report

    def _toggle_intervention(self) -> str:
        episode = self._ready().episode
        return self._intervene(on=episode is None or not episode.intervention)

    def _intervene(self, *, on: bool) -> str:
        self._ready().intervene(self._now_ns(), on=on)
        return "intervention" if on else "intervention over"

    def _on_flag(self, message: Any) -> None:
        if self._recorder is not None and self._recorder.episode is not None:
            self._recorder.intervene(self._now_ns(), on=message.data)

    def _on_command(self, message: EpisodeEvent) -> None:
        if self._recorder is not None:
            self._recorder.note_command(self._now_ns(), message.note)

    def _slowly(self, action: Callable[[], Any]) -> Future:
        """Begin what waits for the disk; it can be awaited."""
        if self._background is None:
            raise EvlaError("the recorder is being cleaned up")
        return self._background.do(action)

    def _ready(self) -> Recorder:
        if self._recorder is None or not self.active:
            raise EvlaError("the recorder is not active; activate it first")
        return self._recorder

    # -- timers --

    def _now_ns(self) -> int:
        return int(self.get_clock().now().nanoseconds)

    def _watch(self) -> None:
        if self._recorder is None or self._topics is None:
            return
        self._topics.discover()
        if self._start_at_ns is not None and self._now_ns() >= self._start_at_ns:
            self._start_at_ns = None
            try:
                left_out = "".join(f"; {one}" for one in self._recorder.left_out())
                self._text = f"recording {self._recorder.start(self._now_ns())}{left_out}"
            except EvlaError as error:
                self._text = str(error)
                self.get_logger().error(self._text)
        ending = self._recorder.watch(self._now_ns())
        if ending is not None:
            self._aborted = self._slowly(ending.finish)
        if self._aborted is not None and self._aborted.done():
            self._text = self._aborted.result().text()
            self._aborted = None
            self.get_logger().error(self._text)

    def _publish_status(self) -> None:
        if self._recorder is not None:
            message = status_message(self._recorder, self._now_ns(), self._text, active=self.active)
            self._status.publish(message)
