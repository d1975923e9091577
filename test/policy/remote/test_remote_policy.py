# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The robot's side: deadlines, reconnecting, and never the answer of a past question."""

from __future__ import annotations

import socket
import threading
import time

import numpy as np
import pytest

pytest.importorskip("websockets", reason="the extra 'serve' is not installed")
pytest.importorskip("msgpack", reason="the extra 'serve' is not installed")

from websockets.sync.server import serve

from evla_ros.embodiment import load_embodiment
from evla_ros.policy.errors import PolicyError, ServerGoneError, ServerLateError
from evla_ros.policy.remote.address import ServerAddress, read_tokens
from evla_ros.policy.remote.contract import contract_of
from evla_ros.policy.remote.remote_policy import RemotePolicy
from evla_ros.policy.remote.wire import pack, unpack
from evla_ros.policy.types import Observation

ROBOT = load_embodiment("tabletop_arm")
METADATA = contract_of(ROBOT, ("primary", "wrist"), proprio=True).metadata()


def observation(number=0.0):
    image = np.full((48, 64, 3), 127, np.uint8)
    state = np.full(8, number, np.float32)
    return Observation(7, {"primary": image, "wrist": image}, state, "go")


def chunk_of(request):
    """Return a chunk that names its question: every number is the first of its state."""
    return {"actions": np.full((8, 7), float(request["observation/state"][0]))}


class Script:
    """A server that does what the test says with every request."""

    def __init__(self, port=0, metadata=METADATA):
        self.requests, self.answer, self.metadata = [], chunk_of, metadata
        self.open = []
        self.server = serve(self._converse, "127.0.0.1", port, compression=None, max_size=None)
        self.port = self.server.socket.getsockname()[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.address = ServerAddress(f"ws://127.0.0.1:{self.port}")

    def _converse(self, connection):
        self.open.append(connection)
        first = self.metadata
        connection.send(first if isinstance(first, str | bytes) else pack(first))
        for data in connection:
            request = unpack(data)
            self.requests.append(request)
            reply = self.answer(request)
            if reply is None:
                connection.close()
                return
            connection.send(reply if isinstance(reply, str | bytes) else pack(reply))

    def stop(self):
        self.server.shutdown()


@pytest.fixture
def script():
    made = Script()
    yield made
    made.stop()


@pytest.mark.parametrize("encoding", ["raw", "jpeg"])
def test_a_question_and_its_answer(script, encoding):
    policy = RemotePolicy(script.address, ROBOT, 5.0, encoding)
    assert (policy.chunk_length, policy.action_dim) == (8, 7)
    assert policy.embodiment_hash == ROBOT.content_hash
    chunk = policy.infer(observation(3.0))
    assert chunk.observation_stamp_ns == 7
    np.testing.assert_array_equal(chunk.actions, np.full((8, 7), 3.0))
    assert chunk.network_ns > 0
    (request,) = script.requests
    assert request["prompt"] == "go"
    assert request["deadline_ms"] == pytest.approx(5000)
    image = request["observation/primary"]
    assert image[:2] == b"\xff\xd8" if encoding == "jpeg" else image.shape == (48, 64, 3)


def test_a_late_answer_is_not_taken_for_the_next_question(script):
    policy = RemotePolicy(script.address, ROBOT, 0.3)

    def slow_once(request):
        script.answer = chunk_of
        time.sleep(0.6)
        return chunk_of(request)

    script.answer = slow_once
    with pytest.raises(ServerLateError, match=r"did not answer in time \(0.3 s\)"):
        policy.infer(observation(1.0))
    for number in (2.0, 3.0, 4.0):
        assert policy.infer(observation(number)).actions[0, 0] == number
        time.sleep(0.2)
    assert len(script.open) == 2


def test_what_a_server_says_unasked_is_not_an_answer(script):
    policy = RemotePolicy(script.address, ROBOT, 5.0)
    policy.infer(observation(1.0))
    connection = script.open[-1]
    connection.send(pack({"actions": np.full((8, 7), 666.0)}))
    time.sleep(0.1)
    assert policy.infer(observation(2.0)).actions[0, 0] == 2.0


def test_a_server_that_is_gone_is_tried_again_with_pauses_and_found_again(script):
    policy = RemotePolicy(script.address, ROBOT, 2.0)
    script.answer = lambda _: None
    with pytest.raises(ServerGoneError, match="closed the connection"):
        policy.infer(observation())
    port = script.port
    script.stop()
    asked_s = time.monotonic()
    sentences = []
    for _ in range(4):
        with pytest.raises(ServerGoneError) as error:
            policy.infer(observation())
        sentences.append(str(error.value))
    assert time.monotonic() - asked_s < 2.0  # it does not wait for the pause, it says so
    assert "Connection refused" in sentences[0]
    assert "tried again in" in sentences[-1]
    again = Script(port)
    try:
        time.sleep(0.5)
        assert policy.infer(observation(5.0)).actions[0, 0] == 5.0
    finally:
        again.stop()


def test_an_idle_connection_that_the_server_closed_is_opened_anew_in_silence(script):
    policy = RemotePolicy(script.address, ROBOT, 5.0)
    script.open[-1].close()
    time.sleep(0.1)
    assert policy.infer(observation(4.0)).actions[0, 0] == 4.0


def test_another_policy_behind_the_same_address_is_refused(script):
    policy = RemotePolicy(script.address, ROBOT, 5.0)
    policy.infer(observation())
    script.metadata = contract_of(ROBOT, ("primary",), proprio=True).metadata()
    script.answer = lambda _: None
    with pytest.raises(ServerGoneError):
        policy.infer(observation())
    with pytest.raises(PolicyError, match="another policy than when this robot was configured"):
        policy.infer(observation())


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ("no image", "no image"),
        ({"actions": np.zeros((4, 7))}, r"actions \[4, 7\]; \[8, 7\]"),
        ({"actions": [[0.0] * 7] * 8}, "no actions"),
        ({}, "no actions"),
        (b"\xc1", "not msgpack"),
    ],
)
def test_nonsense_is_a_sentence(script, answer, sentence):
    policy = RemotePolicy(script.address, ROBOT, 5.0)
    script.answer = lambda _: answer
    with pytest.raises(PolicyError, match=sentence):
        policy.infer(observation())


def test_the_server_may_say_itself_that_it_is_late(script):
    policy = RemotePolicy(script.address, ROBOT, 5.0)
    script.answer = lambda _: "late: its deadline passed 12 ms ago"
    with pytest.raises(ServerLateError, match="12 ms"):
        policy.infer(observation())


def test_a_server_of_another_robot_is_refused_at_once():
    other = load_embodiment("humanoid_upper_body")
    script = Script(metadata=contract_of(other, ("primary",), proprio=True).metadata())
    with pytest.raises(PolicyError, match="made for another robot"):
        RemotePolicy(script.address, ROBOT, 5.0)
    script.stop()


@pytest.mark.parametrize("first", [{"reset_pose": [0.0]}, "Traceback: ...", b"\x91"])
def test_a_server_of_another_kind_is_refused_at_once(first):
    script = Script(metadata=first)
    with pytest.raises(PolicyError):
        RemotePolicy(script.address, ROBOT, 5.0)
    script.stop()


def test_a_port_that_takes_and_says_nothing_is_late_not_for_ever():
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        address = ServerAddress(f"ws://127.0.0.1:{deaf.getsockname()[1]}")
        start_s = time.monotonic()
        with pytest.raises(PolicyError, match="did not answer in time"):
            RemotePolicy(address, ROBOT, 0.2)
        assert time.monotonic() - start_s < 10


def test_a_server_that_stops_reading_is_late_not_for_ever():
    """The image does not fit into the socket's buffers, so that sending waits."""
    ready = threading.Event()
    deaf = Script()

    def never(_):
        ready.wait(10)
        return

    deaf.answer = never
    policy = RemotePolicy(deaf.address, ROBOT, 0.5, "raw")
    large = np.zeros((1300, 1900, 3), np.uint8)
    question = Observation(1, {"primary": large, "wrist": large}, np.zeros(8, np.float32), "go")
    with pytest.raises(ServerLateError):
        policy.infer(question)  # the first request is read, and nothing is answered
    with pytest.raises((ServerLateError, ServerGoneError)):
        policy.infer(question)
    ready.set()
    deaf.stop()


def test_closing_from_another_thread_ends_the_wait(script):
    policy = RemotePolicy(script.address, ROBOT, 20.0)
    script.answer = lambda request: time.sleep(3) or chunk_of(request)
    threading.Timer(0.2, policy.close).start()
    start_s = time.monotonic()
    with pytest.raises(ServerGoneError):
        policy.infer(observation())
    assert time.monotonic() - start_s < 2.5


@pytest.mark.parametrize(
    "url",
    ["gpu.lab:8000", "http://gpu:8000", "ws://", "ws://gpu:abc", "ws://me@gpu", "wss://gpu?x=1"],
)
def test_an_address_of_no_policy_server_is_refused(url):
    with pytest.raises(PolicyError, match="ws://HOST:PORT"):
        RemotePolicy(ServerAddress(url), ROBOT, 1.0)


def test_files_that_cannot_be_used_are_named(tmp_path):
    tokens = tmp_path / "tokens"
    with pytest.raises(PolicyError, match="No such file"):
        read_tokens(tokens)
    for text, sentence in (
        ("# nothing\n", "holds no token"),
        ("short\n", "line 1: a line is TOKEN"),
        ("one two three-long-enough-token\n", "line 1"),
        ("ä" * 20, "ASCII"),
    ):
        tokens.write_text(text, encoding="utf-8")
        with pytest.raises(PolicyError, match=sentence):
            read_tokens(tokens)
    tokens.write_text("# robots\nleft 0123456789abcdef\n\nfedcba9876543210\n")
    assert read_tokens(tokens) == [("left", "0123456789abcdef"), ("token4", "fedcba9876543210")]
    with pytest.raises(PolicyError, match="no effect with ws://"):
        RemotePolicy(ServerAddress("ws://gpu:1", ca_file="x.pem"), ROBOT, 1.0)
    with pytest.raises(PolicyError, match=r"x\.pem: cannot be read"):
        RemotePolicy(ServerAddress("wss://gpu:1", ca_file="x.pem"), ROBOT, 1.0)
