# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The operator's desk: pages, who controls, the dead-man, commands and their answers.

Everything runs in the event loop; only answers of services come from elsewhere. Stop is carried out
before anything else is looked at, by whatever page.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from evla_ros.console.errors import RefusedError
from evla_ros.console.library.dataset_job import DatasetJob
from evla_ros.console.library.episodes import Episodes
from evla_ros.console.server.asking import ask_all
from evla_ros.console.server.commands import COMMANDS, STOP, text_of
from evla_ros.console.server.control import Control, Page
from evla_ros.console.server.dead_man import DeadMan
from evla_ros.console.server.door import Visitor
from evla_ros.console.server.drive import drive_of, whole
from evla_ros.console.server.outbox import REPLACED, Outbox
from evla_ros.console.server.robot import Robot

STATE_S = 0.2
MOST_LINES = 40
Message = Mapping[str, Any]


class Desk:
    """One for a server."""

    def __init__(
        self, robot: Robot, episodes: Episodes, job: DatasetJob, dead_man_s: float
    ) -> None:
        self.robot, self.episodes, self.job = robot, episodes, job
        self.control = Control()
        self._dead_man, self._dead_man_s = DeadMan(dead_man_s), dead_man_s
        self._timer: asyncio.TimerHandle | None = None
        self._boxes: dict[str, Outbox] = {}
        self._lines: deque[dict[str, Any]] = deque(maxlen=MOST_LINES)
        self._number = 0
        described = robot.description()
        self._arms, self._axes = len(described["arms"]), len(described["axes"])
        self._loop: asyncio.AbstractEventLoop | None = None

    # -- pages --

    def arrive(self, key: str, visitor: Visitor) -> tuple[Page, Outbox]:
        """Take a page that has connected; a second connection of the same page replaces it."""
        self._loop = asyncio.get_running_loop()
        if key in self._boxes:
            self._let_go(key, "its connection was replaced")
            self._boxes[key].end(REPLACED, "the page was opened once more")
        page = self.control.arrive(
            key, visitor.name, time.monotonic(), may_control=visitor.may_control
        )
        box = self._boxes[key] = Outbox()
        box.put(json.dumps({"t": "robot", **self.robot.description()}))
        self._tell_states()
        return page, box

    def leave(self, key: str, box: Outbox) -> None:
        """Take that a connection has ended: its dead-man is let go."""
        if self._boxes.get(key) is not box:
            return
        del self._boxes[key]
        self._let_go(key, "its page was closed")
        self.control.leave(key, time.monotonic())

    async def run(self) -> None:
        """Send states until cancelled."""
        while True:
            await asyncio.sleep(STATE_S)
            gone = self.control.look(time.monotonic())
            if gone:
                new = self.control.pages.get(self.control.controller)
                now = "is free" if new is None else f"goes to {new.name}, who asked"
                self._noted(gone, f"not heard any more: control {now}")
            if self._boxes:
                self._tell_states()

    # -- messages of a page --

    def take(self, page: Page, message: Message) -> None:
        """Carry out a message of a page, and answer."""
        kind = message.get("t")
        if kind == "stop":
            self.stop(page.name, page.key)
            return
        self.control.beat(page.key, time.monotonic())
        try:
            if kind == "drive":
                self._drive(page, message)
            elif kind == "do":
                self._do(page, message)
            elif kind == "control":
                self._answer(page.key, message, True, self._hand_over(page, message))
                self._tell_states()
            elif kind == "beat":
                self._answer(page.key, message, True, "")
            else:
                raise RefusedError(f"no message {str(kind)[:40]!r} is known")
        except RefusedError as error:
            self._answer(page.key, message, False, str(error))

    def stop(self, name: str, key: str = "") -> None:
        """Stop the policy and teleoperation at once, whoever asks."""
        self._dead_man.end()
        self.robot.drive(None)
        ask_all(self.robot, STOP.asks(None), self._stopped(name, key))
        self.robot.note(f"{name}: stop")

    def _stopped(self, name: str, key: str) -> Callable[[bool, str], None]:
        def done(success: bool, sentence: str) -> None:
            text = f"{name}: stop: {sentence}"
            self._in_loop(lambda: self._say(text, success=success))
            if key:
                self._in_loop(lambda: self._answer(key, {"id": "stop"}, success, sentence))

        return done

    def _hand_over(self, page: Page, message: Message) -> str:
        now_s, what = time.monotonic(), message.get("what")
        before = self.control.controller
        if what == "take":
            said = self.control.take(page.key, now_s)
        elif what == "release":
            said = self.control.release(page.key)
        elif what in ("grant", "deny"):
            to = str(message.get("to"))
            said = self.control.grant(page.key, to, yes=what == "grant")
        else:
            raise RefusedError("control is taken, released, granted or denied")
        if self.control.controller != before:
            self._let_go(before, "control was handed over")
            self._noted(page.name, f"control: {said}")
        return said

    # -- driving --

    def _drive(self, page: Page, message: Message) -> None:
        press = whole(message, "press")
        if not message.get("held"):
            if self._dead_man.release(page.key, press):
                self._released(f"{page.name} lets go")
            return
        if not self.control.controls(page.key):
            raise RefusedError("this page watches; take control first")
        if not self.robot.there("teleop", "stop"):
            raise RefusedError("there is no teleop node; start one with `evla run teleop`")
        command = drive_of(message, self._arms, self._axes)
        self._look_at_dead_man(page.name)
        new = not self._dead_man.held_by
        if not self._dead_man.hold(page.key, press, time.monotonic()):
            raise RefusedError("that press is over; let go and press again")
        self.robot.drive(command)
        if new:
            self._noted(page.name, "drives")
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(self._dead_man_s + 0.001, self._silent, page.name)

    def _look_at_dead_man(self, name: str) -> None:
        if self._dead_man.expired(time.monotonic()):
            limit_ms = 1e3 * self._dead_man_s
            self._released(f"{name}: let go after {limit_ms:.0f} ms of silence")

    def _silent(self, name: str) -> None:
        self._look_at_dead_man(name)
        if self._dead_man.held_by:
            self._timer = asyncio.get_running_loop().call_later(0.005, self._silent, name)

    def _let_go(self, key: str, why: str) -> None:
        name = self.control.pages[key].name if key in self.control.pages else "somebody"
        if self._dead_man.release(key):
            self._released(f"{name}: let go, {why}")

    def _released(self, sentence: str) -> None:
        self.robot.drive(None)
        self.robot.note(sentence)
        self._say(sentence)

    # -- commands --

    def _do(self, page: Page, message: Message) -> None:
        what, value = str(message.get("what")), message.get("value")
        if not self.control.controls(page.key):
            raise RefusedError("this page watches; take control first")
        command = COMMANDS.get(what)
        if command is None:
            self._locally(page, message, what, value)
            return
        asks = command.asks(value)
        words = f"{command.words}{f' {value!r}' if isinstance(value, str) and value else ''}"
        late = what == "record"  # the bag that takes the note is not open before
        if not late:
            self.robot.note(f"{page.name}: {words}")

        def done(success: bool, sentence: str) -> None:
            if late:
                self.robot.note(f"{page.name}: {words}")
            text = f"{page.name}: {words}: {sentence}"
            self._in_loop(lambda: self._say(text, success=success))
            self._in_loop(lambda: self._answer(page.key, message, success, sentence))

        ask_all(self.robot, asks, done)

    def _locally(self, page: Page, message: Message, what: str, value: Any) -> None:
        """Carry out what needs no node: labels, the trash, the dataset."""
        recording = self.robot.state().get("recorder") or {}
        if what in ("label", "trash"):
            given = value if isinstance(value, dict) else {}
            name = text_of(given.get("episode"))
            if name == recording.get("episode_id"):
                raise RefusedError(f"{name} is being recorded; keep or discard it")
            outcome = given.get("outcome")
            said = (
                self.episodes.label(name, text_of(outcome))
                if what == "label"
                else self.episodes.trash(name)
            )
        elif what == "dataset":
            said = self.job.start(self.episodes.kept())
        elif what == "dataset_end":
            said = self.job.end()
        else:
            raise RefusedError(f"no command {what[:40]!r} is known")
        self._noted(page.name, said)
        self._answer(page.key, message, True, said)

    # -- telling --

    def _noted(self, name: str, words: str) -> None:
        self.robot.note(f"{name}: {words}")
        self._say(f"{name}: {words}")

    def _say(self, text: str, *, success: bool = True) -> None:
        self._number += 1
        clock = time.strftime("%H:%M:%S")
        self._lines.append({"n": self._number, "at": clock, "text": text, "ok": success})

    def _answer(self, key: str, message: Message, success: bool, sentence: str) -> None:
        box, number = self._boxes.get(key), message.get("id")
        if box is not None:
            answer = {"t": "answer", "id": number, "ok": success, "text": sentence}
            box.put(json.dumps(answer))

    def _tell_states(self) -> None:
        """Send every page the state, and what it is itself; the large part is encoded once."""
        state = {
            "t": "state",
            **self.robot.state(),
            "pages": [
                {"name": p.name, "key": p.key[:8], "controls": self.control.controls(p.key),
                 "asks": p.asked_s is not None, "reads_only": not p.may_control,
                 "away": not p.connected}
                for p in self.control.pages.values()
                if p.connected or self.control.controls(p.key)
            ],
            "driving": self._dead_man.held_by[:8],
            "lines": list(self._lines),
            "job": self.job.state(),
        }  # fmt: skip
        asking = [{"key": p.key, "name": p.name} for p in self.control.asking()]
        text = json.dumps(state)
        for key, box in self._boxes.items():
            page = self.control.pages.get(key)
            you = {
                "controls": self.control.controls(key),
                "may_control": bool(page and page.may_control),
                "asked": bool(page and page.asked_s is not None),
                "asking": asking if self.control.controls(key) else [],
            }
            box.put_state(f'{text[:-1]}, "you": {json.dumps(you)}}}')

    def _in_loop(self, action: Callable[[], None]) -> None:
        """Do something in the event loop, from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)
