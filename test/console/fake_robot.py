# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A robot for the web server: says what it was asked, and answers as it is told to."""

from __future__ import annotations

import threading

from evla_ros.console.server.description import describe
from evla_ros.console.server.robot import Picture
from evla_ros.embodiment import load_embodiment

JPEG = b"\xff\xd8\xff\xd9"


class FakeRobot:
    """`there_now`: services that can be asked. `answers`: by (node, service); None: no answer."""

    def __init__(self, robot: str = "mobile_manipulator") -> None:
        self._description = {**describe(load_embodiment(robot)), "namespace": "/", "version": "1"}
        self.answers: dict = {}
        self.absent: set = set()
        self.asked, self.driven, self.notes = [], [], []
        self.watched: list = []
        self.pictures: dict = {}
        self.recording = ""
        self.changed = threading.Condition()

    def description(self):
        return self._description

    def state(self):
        return {
            "policy": None, "recorder": {"episode_id": self.recording}, "camera_problems": {},
            "nodes": {"policy": True}, "arms": [], "chunks": [], "reports": [],
        }  # fmt: skip

    def there(self, node, service):
        return node not in self.absent

    def ask(self, node, service, fields, done):
        self._note(self.asked, (node, service, dict(fields)))
        answer = self.answers.get((node, service), (True, f"{node} {service}"))
        if answer is not None:
            threading.Thread(target=done, args=answer).start()

    def drive(self, command):
        self._note(self.driven, command)

    def note(self, sentence):
        self._note(self.notes, sentence)

    def watch(self, cameras):
        self._note(self.watched, list(cameras))

    def picture(self, camera):
        return self.pictures.get(camera)

    def show(self, camera, number, age_s=0.05):
        import time

        self.pictures[camera] = Picture(number, JPEG, age_s, time.monotonic())

    def wait(self, condition):
        """Wait until it holds, in a thread of the test."""
        with self.changed:
            assert self.changed.wait_for(condition, 10.0)

    def _note(self, where, what):
        with self.changed:
            where.append(what)
            self.changed.notify_all()
