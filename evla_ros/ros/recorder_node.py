# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The lifecycle node `recorder`: raw messages into one bag per episode, driven by services."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from std_msgs.msg import Bool
from std_srvs.srv import SetBool, Trigger

from evla_ros.data.recording.recorder import Recorder
from evla_ros.embodiment import load_embodiment
from evla_ros.errors import EvlaError
from evla_ros.msg import EpisodeEvent, RecorderStatus
from evla_ros.ros import parameters
from evla_ros.ros.qos import latched, reliable
from evla_ros.ros.recorder_parameters import TABLE, settings_of
from evla_ros.ros.recorder_status import status_message
from evla_ros.ros.recorder_topics import RecorderTopics, Wanted, embodiment_topics

_DONE = TransitionCallbackReturn.SUCCESS
_WATCH_S = 0.5


class RecorderNode(LifecycleNode):
    """Configured, it listens and learns the rates; active, it records when asked."""

    def __init__(self, **arguments: Any) -> None:
        """Declare parameters; everything else waits for configure."""
        super().__init__("recorder", **arguments)
        parameters.declare(self, TABLE)
        self._recorder: Recorder | None = None
        self._topics: RecorderTopics | None = None
        self._active = False
        self._text = ""
        self._start_at_ns: int | None = None
        self._made: list[tuple[Callable[[Any], Any], Any]] = []

    # -- lifecycle --

    def on_configure(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe, learn the rates, offer the services."""
        return self._guarded("configure", self._configure)

    def on_activate(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Accept episodes from now on."""
        self._active = True
        return _DONE

    def on_deactivate(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Keep the episode in progress, and accept no other."""
        return self._guarded("deactivate", self._deactivate)

    def on_cleanup(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Let every topic go."""
        return self._guarded("cleanup", self._clean_up)

    def on_shutdown(self, _state: LifecycleState) -> TransitionCallbackReturn:
        """Keep the episode in progress, and let everything go."""
        return self._guarded("shutdown", self.finish)

    def finish(self) -> None:
        """End from whatever state: what was recorded is kept."""
        self._deactivate()
        self._clean_up()

    def _guarded(self, what: str, action: Callable[[], None]) -> TransitionCallbackReturn:
        try:
            action()
        except EvlaError as error:
            self.get_logger().error(f"cannot {what}: {error}")
            self._clean_up()
            return TransitionCallbackReturn.FAILURE
        except Exception:  # noqa: BLE001 - rclpy would turn it into a silent ERROR
            self.get_logger().error(f"cannot {what}:\n{traceback.format_exc()}")
            return TransitionCallbackReturn.ERROR
        return _DONE

    def _configure(self) -> None:
        values = parameters.read(self, TABLE)
        embodiment = load_embodiment(values["embodiment"])
        output = Path(values["output"]).expanduser()
        self._countdown_ns = round(values["countdown_s"] * 1e9)
        self._recorder = Recorder(embodiment, output, settings_of(values))
        extra = [Wanted(n.strip()) for n in values["extra_topics"].split(",") if n.strip()]
        self._topics = RecorderTopics(
            self,
            self._recorder,
            [*embodiment_topics(embodiment), *extra],
            everything=values["all_topics"],
            depth=values["depth"],
        )
        self._status = self.create_publisher(RecorderStatus, "~/status", latched())
        self._events = self.create_publisher(EpisodeEvent, "~/episode_event", reliable())
        self._recorder.on_event = self._events.publish
        self._made = [(self.destroy_publisher, p) for p in (self._status, self._events)]
        flag = values["intervention_topic"]
        if flag:
            listening = self.create_subscription(Bool, flag, self._on_flag, reliable())
            self._made.append((self.destroy_subscription, listening))
        self._serve()
        self.get_logger().info(
            f"recording {embodiment.name} into {output}; begin with {self.get_name()}/start"
        )
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        for period, action in (
            (1.0 / values["status_rate_hz"], self._publish_status),
            (_WATCH_S, self._watch),
        ):
            timer = self.create_timer(period, action, clock=steady)
            self._made.append((self.destroy_timer, timer))
        self._watch()

    def _serve(self) -> None:
        triggers: dict[str, Callable[[], str]] = {
            "start": self._start,
            "keep": self._keep,
            "discard": self._discard,
            "toggle": self._toggle,
            "mark_success": lambda: self._mark("success"),
            "mark_failure": lambda: self._mark("failure"),
            "toggle_intervention": self._toggle_intervention,
        }
        for name, action in triggers.items():
            service = self.create_service(Trigger, f"~/{name}", self._answer(action))
            self._made.append((self.destroy_service, service))
        service = self.create_service(SetBool, "~/intervention", self._on_intervention)
        self._made.append((self.destroy_service, service))

    def _deactivate(self) -> None:
        self._active = False
        self._start_at_ns = None
        if self._recorder is not None and self._recorder.episode is not None:
            report = self._recorder.keep(self._now_ns(), "kept when the recorder was stopped")
            self.get_logger().warning(report.text())

    def _clean_up(self) -> None:
        if self._topics is not None:
            self._topics.close()
        for destroy, thing in self._made:
            destroy(thing)
        self._made, self._topics, self._recorder = [], None, None

    # -- services --

    def _answer(self, action: Callable[[], str]) -> Callable[[Any, Any], Any]:
        def serve(_request: Any, response: Any) -> Any:
            try:
                response.message, response.success = action(), True
            except EvlaError as error:
                response.message, response.success = str(error), False
                self.get_logger().warning(str(error))
            self._text = response.message
            self._publish_status()
            return response

        return serve

    def _start(self) -> str:
        recorder = self._ready()
        if self._countdown_ns == 0:
            return f"recording {recorder.start(self._now_ns())}"
        problems = recorder.problems(self._now_ns()) if recorder.settings.require_preflight else []
        if problems:
            raise EvlaError("not started: " + "; ".join(problems))
        self._start_at_ns = self._now_ns() + self._countdown_ns
        return f"recording starts in {self._countdown_ns / 1e9:g} s"

    def _keep(self) -> str:
        report = self._ready().keep(self._now_ns())
        self.get_logger().info(report.text())
        return report.text()

    def _discard(self) -> str:
        if self._start_at_ns is not None:
            self._start_at_ns = None
            return "the start was called off"
        return f"discarded {self._ready().discard(self._now_ns()).episode_id}"

    def _toggle(self) -> str:
        return self._start() if self._ready().episode is None else self._keep()

    def _mark(self, outcome: str) -> str:
        return f"{self._ready().mark(outcome, self._now_ns())} is marked as {outcome}"

    def _toggle_intervention(self) -> str:
        episode = self._ready().episode
        return self._intervene(on=episode is None or not episode.intervention)

    def _intervene(self, *, on: bool) -> str:
        self._ready().intervene(self._now_ns(), on=on)
        return "intervention" if on else "intervention over"

    def _on_intervention(self, request: Any, response: Any) -> Any:
        return self._answer(lambda: self._intervene(on=request.data))(request, response)

    def _on_flag(self, message: Bool) -> None:
        if self._recorder is not None and self._recorder.episode is not None:
            self._recorder.intervene(self._now_ns(), on=message.data)

    def _ready(self) -> Recorder:
        if self._recorder is None or not self._active:
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
                self._text = f"recording {self._recorder.start(self._now_ns())}"
            except EvlaError as error:
                self._text = str(error)
                self.get_logger().error(self._text)
        report = self._recorder.watch(self._now_ns())
        if report is not None:
            self._text = report.text()
            self.get_logger().error(self._text)

    def _publish_status(self) -> None:
        if self._recorder is not None:
            message = status_message(
                self._recorder, self._now_ns(), self._text, active=self._active
            )
            self._status.publish(message)
