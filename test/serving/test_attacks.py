# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a stranger may try: it is refused with one sentence, the server lives, others are served."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
import urllib.error
import urllib.request

import msgpack
import numpy as np
import pytest
from policy_server import PolicyServer
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from evla_ros.embodiment import load_embodiment
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.remote.address import ServerAddress
from evla_ros.policy.remote.remote_policy import RemotePolicy
from evla_ros.policy.remote.wire import pack
from evla_ros.policy.types import Observation

CIRCLE = ("circle", "--embodiment", "tabletop_arm")
TOKEN, OTHER = "robot-token-0123456789", "another-token-9876543210"
ROBOT = load_embodiment("tabletop_arm")


def open_to(server: PolicyServer, **options):
    options = {"compression": None, "proxy": None, "max_size": None, **options}
    return connect(f"ws://127.0.0.1:{server.port}", **options)


def assert_served(server: PolicyServer, **address) -> None:
    """Ask as a robot does."""
    policy = RemotePolicy(ServerAddress(server.url, **address), ROBOT, 10.0, "raw")
    image = np.zeros((8, 8, 3), np.uint8)
    images = dict.fromkeys(("primary", "wrist"), image)
    chunk = policy.infer(Observation(1, images, np.zeros(8, np.float32), "go"))
    assert chunk.actions.shape == (8, 7)
    policy.close()


def array(dtype="|u1", shape=(8, 8, 3), data=bytes(192)):
    return {b"__ndarray__": True, b"data": data, b"dtype": dtype, b"shape": list(shape)}


def image(forged):
    return msgpack.packb({"observation/primary": forged, "prompt": "go"})


FORGED = {
    "an object array": image(array("|O", (24,))),
    "a time stamp array": image(array("<M8[s]", (24,))),
    "a negative dimension": image(array(shape=(-1, 8, 3))),
    "ten gigabytes": image(array(shape=(10_000_000_000,))),
    "a product that overflows": image(array(shape=(2**62, 2**62, 4))),
    "deep nesting": b"\x91" * 100_000 + b"\xc0",
    "a list of four thousand million": b"\xdd\xff\xff\xff\xff",
    "an extension type": b"\xc7\x04\x01abcd",
    "a pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix.",
    "nothing": b"",
    "a list": msgpack.packb([1, 2]),
}


@pytest.mark.parametrize("data", FORGED.values(), ids=FORGED)
def test_a_forged_message_gets_a_sentence_and_the_door(server, data):
    with open_to(server) as stranger:
        stranger.recv()
        stranger.send(data)
        sentence = stranger.recv()
        assert isinstance(sentence, str)
        assert "\n" not in sentence
        assert "Traceback" not in sentence
        with pytest.raises(ConnectionClosed) as error:
            stranger.recv()
        assert error.value.rcvd.code == 1008
    assert_served(server)


def test_text_is_refused(server):
    with open_to(server) as stranger:
        stranger.recv()
        stranger.send("give me actions")
        assert "binary frame" in stranger.recv()
    assert_served(server)


def test_a_message_above_the_limit_is_refused_without_being_held(server):
    with open_to(server) as stranger:
        stranger.recv()
        with pytest.raises(ConnectionClosed) as error:
            stranger.send(bytes(17 << 20))
            stranger.recv()
        assert error.value.rcvd is None or error.value.rcvd.code == 1009
    assert_served(server)


def test_a_compressed_bomb_is_not_unpacked(server):
    with open_to(server, compression="deflate") as stranger:
        assert stranger.protocol.extensions == []  # the server offers no compression
    assert_served(server)


def test_a_picture_of_a_billion_pixels_is_refused_before_it_is_decoded(server, question):
    header = b"\xff\xd8\xff\xc0\x00\x11\x08\xff\xff\xff\xff\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01"
    with open_to(server) as stranger:
        stranger.recv()
        stranger.send(pack({**question, "observation/primary": header + bytes(64) + b"\xff\xd9"}))
        assert "observation/primary" in stranger.recv()
    assert_served(server)


def test_an_image_of_too_many_pixels_is_refused(question):
    with PolicyServer(*CIRCLE, "--max-message-mb", "64") as server, open_to(server) as client:
        client.recv()
        large = np.zeros((4000, 4000, 3), np.uint8)
        client.send(pack({**question, "observation/primary": large}))
        assert "at most 9000000 pixels" in client.recv()


def test_a_web_page_may_not_ask(server):
    with pytest.raises(InvalidStatus) as error:
        open_to(server, origin="https://evil.example")
    assert error.value.response.status_code == 403
    assert b"https://evil.example" in error.value.response.body
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/metrics", headers={"Origin": "null"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 403
    assert_served(server)


def test_a_name_that_was_made_to_point_here_may_not_ask(server):
    request = urllib.request.Request(
        f"http://127.0.0.1:{server.port}/metrics", headers={"Host": "evil.example"}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 403


@pytest.fixture(scope="module")
def tokens(tmp_path_factory):
    path = tmp_path_factory.mktemp("tokens") / "tokens"
    path.write_text(f"left {TOKEN}\nright {OTHER}\n")
    return path


@pytest.fixture(scope="module")
def guarded(tokens):
    with PolicyServer(*CIRCLE, "--token-file", str(tokens), "--openvla-port", "0") as running:
        yield running


@pytest.mark.parametrize(
    "header",
    [None, "", "Api-Key", "Api-Key wrong", f"Basic {TOKEN}", f"Api-Key {TOKEN}x", "Api-Key \x80"],
)
def test_without_its_token_nobody_gets_anything(guarded, header, tmp_path):
    headers = {} if header is None else {"Authorization": header}
    for path in ("", "metrics"):
        with pytest.raises((InvalidStatus, urllib.error.HTTPError)) as error:
            if path:
                url = f"http://127.0.0.1:{guarded.port}/metrics"
                urllib.request.urlopen(urllib.request.Request(url, headers=headers))
            else:
                open_to(guarded, additional_headers=headers)
        response = getattr(error.value, "response", None)
        assert (response.status_code if response else error.value.code) == 401
    with pytest.raises(urllib.error.HTTPError) as refused:
        act = urllib.request.Request(guarded.ready["openvla"], data=b"{}", headers=headers)
        urllib.request.urlopen(act)
    assert refused.value.code == 401
    mine = tmp_path / "token"
    mine.write_text(OTHER)
    assert_served(guarded, token_file=str(mine))


def test_a_robot_with_a_wrong_token_is_told_so(guarded, tmp_path):
    wrong = tmp_path / "token"
    wrong.write_text("not-the-token-0123456789")
    with pytest.raises(PolicyError, match="refuses: an unknown token; send the header"):
        RemotePolicy(ServerAddress(guarded.url, str(wrong)), ROBOT, 5.0)
    with pytest.raises(PolicyError, match="refuses: no token"):
        RemotePolicy(ServerAddress(guarded.url), ROBOT, 5.0)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--host", "0.0.0.0"), "name who may with --token-file"),
        (("--host", "::"), "name who may with --token-file"),
        (("--host", "0.0.0.0", "--token-file", "TOKENS"), "without TLS"),
        (("--host", "203.0.113.7", "--token-file", "TOKENS"), "without TLS"),
        (("--token-file", "/no/such/file"), "token file /no/such/file"),
        (("--tls-key", "x.pem"), "no effect without --tls-cert"),
        (("--tls-cert", "/no/such.pem"), "not a certificate with its key"),
        (("--keys", "nowhere.yaml"), "no map 'nowhere.yaml'"),
        (("--dtype", "bf16"), "--dtype has no effect"),
    ],
)
def test_what_would_be_open_or_cannot_work_does_not_start(arguments, sentence, tokens):
    words = [str(tokens) if word == "TOKENS" else word for word in arguments]
    done = subprocess.run(
        ["python", "-m", "evla_ros", "serve", *CIRCLE, "--port", "0", *words],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 2
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


def test_plaintext_is_possible_where_it_is_said(tokens, tmp_path):
    arguments = ("--host", "0.0.0.0", "--token-file", str(tokens), "--plaintext")
    with PolicyServer(*CIRCLE, *arguments) as server:
        server.url = f"ws://127.0.0.1:{server.port}"
        mine = tmp_path / "token"
        mine.write_text(TOKEN)
        assert_served(server, token_file=str(mine))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=gpu", "-addext",
         "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, capture_output=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl cannot make a certificate here")
    return folder


def test_tls_serves_who_trusts_it_and_turns_the_others_away(certificate, tokens, tmp_path):
    cert, key = str(certificate / "cert.pem"), str(certificate / "key.pem")
    arguments = ("--token-file", str(tokens), "--tls-cert", cert, "--tls-key", key)
    mine = tmp_path / "token"
    mine.write_text(TOKEN)
    with PolicyServer(*CIRCLE, *arguments) as server:
        assert server.url.startswith("wss://")
        assert_served(server, token_file=str(mine), ca_file=cert)
        with pytest.raises(PolicyError, match="TLS failed"):
            assert_served(server, token_file=str(mine))  # nobody vouches for it
        server.url = server.url.replace("wss", "ws")
        with pytest.raises(PolicyError):
            RemotePolicy(ServerAddress(server.url, str(mine)), ROBOT, 2.0)
        server.url = server.url.replace("ws", "wss")
        with socket.create_connection(("127.0.0.1", server.port)) as silent:
            assert_served(server, token_file=str(mine), ca_file=cert)
            silent.settimeout(15)
            with contextlib.suppress(ConnectionResetError):
                assert silent.recv(1) == b""  # TLS has to begin within five seconds


def test_a_thousand_idle_connections_do_not_keep_a_robot_out(server):
    idle = []
    try:
        for _ in range(1000):
            idle.append(socket.create_connection(("127.0.0.1", server.port), timeout=5))
        assert_served(server)
        time.sleep(6.0)  # what has not shaken hands by then is gone
        gone = 0
        for one in idle:
            one.settimeout(0.01)
            with contextlib.suppress(OSError):
                gone += one.recv(1) == b""
        assert gone == len(idle)
    finally:
        for one in idle:
            one.close()
    assert_served(server)


def test_idle_clients_give_way_to_one_that_asks():
    with PolicyServer(*CIRCLE, "--max-connections", "4") as server:
        idle = [open_to(server) for _ in range(4)]
        for one in idle:
            one.recv()
        with pytest.raises(PolicyError, match="all connections are in use"):
            assert_served(server)
        time.sleep(5.5)
        assert_served(server)  # one of the four, idle for more than five seconds, has given way
        with pytest.raises(ConnectionClosed) as error:
            idle[0].recv()
        assert "idle" in error.value.rcvd.reason
        for one in idle:
            one.close()


def test_headers_in_drops_end_and_disturb_nobody(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as slow:
        start_s = time.monotonic()
        ended = False
        for letter in b"GET / HTTP/1.1\r\nHost: localhost\r\n" * 3:
            with contextlib.suppress(OSError):
                slow.send(bytes([letter]))
            time.sleep(0.1)
            slow.settimeout(0.001)
            with contextlib.suppress(TimeoutError):
                try:
                    ended = slow.recv(1) == b""
                except ConnectionResetError:
                    ended = True
            if ended:
                break
        assert ended
        assert time.monotonic() - start_s < 15
    assert_served(server)


def test_a_message_in_drops_ends_and_disturbs_nobody(server):
    with open_to(server) as slow:
        slow.recv()

        def drops():
            yield b"\x81"
            for _ in range(120):
                time.sleep(0.1)
                yield b"\xa1"

        with pytest.raises(ConnectionClosed):
            slow.send(drops())
            slow.recv()
            slow.recv()
    assert_served(server)


def test_garbage_instead_of_http_is_dropped(server):
    for data in (os.urandom(4096), b"\x16\x03\x01" + os.urandom(200), b"A" * 100_000):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as stranger:
            stranger.sendall(data)
            stranger.settimeout(10)
            with contextlib.suppress(OSError):
                while stranger.recv(65536):
                    pass
    assert_served(server)
    assert not any("Traceback" in line for line in server.errors)


def test_who_leaves_in_the_middle_leaves_nothing_behind(server, question):
    for _ in range(20):
        stranger = open_to(server)
        stranger.recv()
        stranger.send(pack(question))
        stranger.socket.close()
    deadline_s = time.monotonic() + 20
    while time.monotonic() < deadline_s:
        url = f"http://127.0.0.1:{server.port}/metrics"
        text = urllib.request.urlopen(url, timeout=10).read().decode()
        if "evla_connections 0.0" in text:
            break
        time.sleep(0.1)
    assert "evla_connections 0.0" in text
    assert_served(server)


def test_the_answer_says_nothing_of_the_insides_of_a_policy_that_fails(question, tmp_path):
    module = tmp_path / "failing_policy.py"
    module.write_text("def act(observation):\n    raise KeyError('/secret/path')\n")
    os.environ["PYTHONPATH"] = f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
    arguments = ("scripted:failing_policy:act", "--embodiment", "tabletop_arm")
    with PolicyServer(*arguments) as server, open_to(server) as client:
        client.recv()
        client.send(pack(question))
        sentence = client.recv()
        assert "the policy failed; the server's log has it under" in sentence
        assert "secret" not in sentence
        number = sentence.rpartition(" ")[2]
        failure = server.wait_for("failure")
        assert failure["id"] == number
        assert "/secret/path" in failure["trace"]
        client.send(pack(question))
        assert "the policy failed" in client.recv()  # and it lives
