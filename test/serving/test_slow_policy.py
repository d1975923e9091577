# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A policy that takes its time: deadlines, turns, and an end that keeps its promises."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest
from policy_server import PolicyServer
from websockets.sync.client import connect

from evla_ros.policy.remote.wire import pack, unpack

SLOW_S = 0.8


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A server whose policy sleeps, and answers the first number of the state."""
    folder = tmp_path_factory.mktemp("policy")
    (folder / "slow_policy.py").write_text(
        "import time\nimport numpy as np\n"
        f"def act(observation):\n    time.sleep({SLOW_S})\n"
        "    return np.full((8, 7), float(observation.proprio[0]))\n"
    )
    before = os.environ.get("PYTHONPATH", "")
    os.environ["PYTHONPATH"] = f"{folder}{os.pathsep}{before}"
    arguments = ("scripted:slow_policy:act", "--embodiment", "tabletop_arm")
    with PolicyServer(*arguments) as running:
        os.environ["PYTHONPATH"] = before
        yield running


class Client:
    """One connection that asks in a thread of its own."""

    def __init__(self, server):
        self._connection = connect(
            f"ws://127.0.0.1:{server.port}", compression=None, proxy=None, max_size=None
        )
        self._connection.recv()
        self.reply = None

    def ask(self, number, **more):
        image = np.zeros((8, 8, 3), np.uint8)
        state = np.full(8, number, np.float32)
        cameras = {"observation/primary": image, "observation/wrist": image}
        message = pack({**cameras, "observation/state": state, "prompt": "go", **more})
        self._connection.send(message)
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self):
        reply = self._connection.recv()
        self.reply = reply if isinstance(reply, str) else unpack(reply)

    def wait(self):
        self._thread.join(30)
        return self.reply

    def leave(self):
        self._connection.socket.close()


def test_a_question_that_waited_too_long_is_answered_as_late_and_not_computed(slow):
    first, second = Client(slow), Client(slow)
    first.ask(1.0)
    time.sleep(0.2)
    second.ask(2.0, deadline_ms=100.0)
    assert second.wait().startswith("late: its deadline passed")
    assert first.wait()["actions"][0, 0] == 1.0
    second.ask(3.0, deadline_ms=20_000.0)  # the same connection goes on
    assert second.wait()["actions"][0, 0] == 3.0


def test_those_that_wait_together_are_computed_together_each_with_its_own_answer(slow):
    clients = [Client(slow) for _ in range(4)]
    for number, client in enumerate(clients):
        client.ask(float(number))
        time.sleep(0.1 if number == 0 else 0.02)
    replies = [client.wait() for client in clients]
    assert [reply["actions"][0, 0] for reply in replies] == [0.0, 1.0, 2.0, 3.0]
    assert replies[0]["server_timing"]["batch"] == 1
    assert replies[3]["server_timing"]["batch"] == 3
    assert replies[3]["server_timing"]["queue_ms"] > 100


def test_nothing_is_computed_for_who_has_left(slow):
    first, gone, last = Client(slow), Client(slow), Client(slow)
    first.ask(1.0)
    time.sleep(0.1)
    gone.ask(2.0)
    time.sleep(0.1)
    gone.leave()
    time.sleep(0.1)
    last.ask(3.0)
    assert last.wait()["server_timing"]["batch"] == 1
    assert first.wait()["actions"][0, 0] == 1.0


def test_the_end_keeps_what_was_promised(slow):
    """Last of this file: it ends the server."""
    client = Client(slow)
    client.ask(7.0)
    time.sleep(0.2)
    slow.process.send_signal(signal.SIGTERM)
    assert client.wait()["actions"][0, 0] == 7.0
    assert slow.process.wait(20) == 0
    assert slow.wait_for("connection", count=1)
