# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVLA's clients POST JSON to /act and read an action back; nothing pickled is read."""

from __future__ import annotations

import base64
import json
import socket
import time
import urllib.error
import urllib.request

import numpy as np
import pytest

from evla_ros.serving.errors import RequestError
from evla_ros.serving.openvla_messages import answer_of, question_of

CAMERAS = ("primary", "wrist")
IMAGE = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)


def json_numpy(array):
    """Return an array as json_numpy 2 writes it."""
    data = base64.b64encode(array.tobytes()).decode()
    return {"__numpy__": data, "dtype": array.dtype.str, "shape": list(array.shape)}


def payload(**more):
    state = json_numpy(np.zeros(8))
    images = {"image": json_numpy(IMAGE), "wrist_image": json_numpy(IMAGE)}
    return {**images, "instruction": "lift", "state": state, "unnorm_key": "bridge", **more}


def post(url, body, **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", **headers}
    try:
        request = urllib.request.Request(url, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


@pytest.mark.parametrize("encoded", [False, True])
def test_a_client_of_openvla_gets_an_action(server, encoded):
    body = payload()
    if encoded:
        body = {"encoded": json.dumps(body)}
    status, answer = post(server.ready["openvla"], body)
    assert status == 200
    answer = json.loads(answer) if encoded else answer
    action = np.frombuffer(base64.b64decode(answer["__numpy__"]), answer["dtype"])
    assert action.reshape(answer["shape"]).shape == (7,)


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"\x80\x04\x95pickle", 400, "not UTF-8"),
        (b"[1]", 400, "JSON object"),
        (b"{", 400, "the request"),
        (b'{"a": 1, "a": 2}', 400, "the request"),
        (payload(image=None), 400, "no image 'observation/primary'"),
        (payload(image={"__numpy__": "AAAA", "dtype": "|O", "shape": [1]}), 400, "kind '|O'"),
        (payload(image={"__numpy__": "!", "dtype": "|u1", "shape": [1]}), 400, "base64"),
        (payload(image={"__numpy__": "", "dtype": "|u1", "shape": [10**12]}), 400, "do not make"),
        (payload(image={"__numpy__": "", "dtype": "|u1", "shape": [-1]}), 400, "the shape"),
        (payload(state=None), 400, "no 'observation/state'"),
        (payload(instruction=""), 400, "no instruction"),
    ],
)
def test_a_bad_request_is_a_sentence(server, body, status, sentence):
    code, answer = post(server.ready["openvla"], body)
    assert code == status
    assert sentence in answer["error"]
    assert "Traceback" not in answer["error"]


def test_the_same_checks_as_everywhere(server):
    url = server.ready["openvla"]
    assert post(url, payload(), Origin="https://evil.example")[0] == 403
    assert post(url, payload(), Host="evil.example")[0] == 403
    assert post(url.replace("/act", "/other"), payload())[0] == 404
    assert post(url, bytes(17 << 20))[0] == 413
    with pytest.raises(urllib.error.HTTPError) as error:
        urllib.request.urlopen(url)
    assert error.value.code == 405


def test_a_request_in_drops_ends(server):
    port = int(server.ready["openvla"].split(":")[2].split("/")[0])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as slow:
        start_s = time.monotonic()
        slow.sendall(b"POST /act HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{")
        assert slow.recv(1024) == b""
        assert time.monotonic() - start_s < 18
    assert post(server.ready["openvla"], payload())[0] == 200


def test_lists_of_numbers_are_images_too():
    message, encoded = question_of(
        json.dumps({"image": IMAGE.tolist(), "instruction": "x"}).encode(), CAMERAS
    )
    assert not encoded
    np.testing.assert_array_equal(message["observation/primary"], IMAGE)
    with pytest.raises(RequestError):
        question_of(b"7", CAMERAS)
    assert json.loads(answer_of(np.zeros((8, 7)), encoded=False))["shape"] == [7]
