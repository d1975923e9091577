# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder as a run of the policy uses it: an episode begins, and is kept or discarded."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from rclpy.node import Node
from std_srvs.srv import Trigger

from evla_ros.msg import RecorderStatus
from evla_ros.srv import SetInstruction

RECORDER_SERVICES = ("set_instruction", "start", "keep", "discard")
_START_S, _END_S = 15.0, 120.0


class RunEpisode:
    """One episode; every answer of the recorder moves it on, `look` sees when none comes.

    Attributes:
        ready: it is being recorded.
        problem: why it is not, or not complete, in a sentence; empty while all is well.
        over: nothing more comes.
        kept: it was kept.
        episode_id: its name, once it is known.
    """

    def __init__(self, clients: Mapping[str, Any], recorder: str, instruction: str) -> None:
        """Ask for the episode to begin."""
        self._clients, self._recorder = clients, recorder
        self.ready, self.problem, self.over, self.kept = False, "", False, False
        self.episode_id = ""
        self._asked = self._granted = self._ending = False
        self._status: RecorderStatus | None = None
        self._until_s = time.monotonic() + _START_S
        request = SetInstruction.Request(instruction=instruction)
        self._call("set_instruction", request, self._start)

    def hear(self, status: RecorderStatus) -> None:
        """Take the recorder's status: it names the episode, and shows where it ends by itself."""
        if self._asked:
            self._status = status
            self._settle()

    def finish(self, service: str) -> None:
        """Ask for `keep` or `discard`."""
        self.ready, self._ending = False, True
        self._until_s = time.monotonic() + _END_S
        self._call(service, Trigger.Request(), lambda: self._end(kept=service == "keep"))

    def look(self) -> None:
        """Give up where the recorder does not answer."""
        if not (self.ready or self.over) and time.monotonic() > self._until_s:
            self._fail("it did not answer in time")

    def _start(self) -> None:
        self._asked = True  # what the recorder said before is about another episode
        self._call("start", Trigger.Request(), self._grant)

    def _grant(self) -> None:
        self._granted = True
        self._settle()

    def _settle(self) -> None:
        status = self._status
        if not self._granted or self._ending or self.over or status is None:
            return
        if status.state == RecorderStatus.STATE_RECORDING:
            self.episode_id, self.ready = status.episode_id, True
        elif self.ready:
            self._fail(f"the episode ended by itself: {status.text}")

    def _end(self, *, kept: bool) -> None:
        self.over, self.kept = True, kept

    def _fail(self, why: str) -> None:
        self.problem, self.over, self.ready = f"recorder {self._recorder}: {why}", True, False

    def _call(self, name: str, request: Any, then: Callable[[], None]) -> None:
        client = self._clients[name]
        if not client.service_is_ready():
            self._fail(f"nobody serves {client.srv_name}; start it (`evla run recorder`)")
            return
        client.call_async(request).add_done_callback(partial(self._answered, then))

    def _answered(self, then: Callable[[], None], future: Any) -> None:
        answer = future.result()
        if self.over:
            return
        if answer is None or not answer.success:
            self._fail(answer.message if answer is not None else "it gave no answer")
        else:
            then()


class RunRecorder:
    """Makes episodes; its clients and its subscription live as long as the node is configured."""

    def __init__(self, node: Node, recorder: str) -> None:
        """recorder: name of its node."""
        self._node, self._name = node, recorder
        kinds = {"set_instruction": SetInstruction}
        self._clients = {
            name: node.create_client(kinds.get(name, Trigger), f"{recorder}/{name}")
            for name in RECORDER_SERVICES
        }
        self.episode: RunEpisode | None = None

    def begin(self, instruction: str) -> RunEpisode:
        """Begin an episode of this task."""
        self.episode = RunEpisode(self._clients, self._name, instruction)
        return self.episode

    def hear(self, status: RecorderStatus) -> None:
        """Take the recorder's status."""
        if self.episode is not None:
            self.episode.hear(status)

    def destroy(self) -> None:
        """Let the clients go."""
        for client in self._clients.values():
            self._node.destroy_client(client)
