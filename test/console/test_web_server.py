# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The web server over real sockets, with an invented robot: rights, stop, dead-man, video."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request

import pytest

pytest.importorskip("uvicorn", reason="the console's libraries are not installed: `make build`")

from fake_robot import JPEG, FakeRobot
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from evla_ros.console.library.dataset_job import DatasetJob
from evla_ros.console.library.episodes import Episodes
from evla_ros.console.options import Listening
from evla_ros.console.server.app import HEADERS
from evla_ros.console.server.desk import Desk
from evla_ros.console.server.door import Door
from evla_ros.console.server.web_thread import WebThread

DRIVE = {"t": "drive", "id": "drive", "held": True, "linear": [0.5, 0, 0]}


class Server:
    def __init__(self, folder, options=None):
        self.robot = FakeRobot()
        options = options or Listening(port=0)
        self.door = Door(options)
        desk = Desk(self.robot, Episodes(folder / "bags"), DatasetJob(folder / "sets"), 0.2)
        self.web = WebThread(options, self.door, desk)
        self.host = f"127.0.0.1:{self.web.port}"

    def get(self, path, method="GET", body=None, **headers):
        request = urllib.request.Request(f"http://{self.host}{path}", body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def page(self, key="page-one", **headers):
        return Page(f"ws://{self.host}/control?page={key}", headers)


class Page:
    def __init__(self, address, headers):
        self.socket = connect(address, additional_headers=headers)
        self.number = 0
        assert self.next("robot")["name"] == "mobile_manipulator"

    def next(self, kind, condition=lambda _: True):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            message = json.loads(self.socket.recv(timeout=10))
            if message["t"] == kind and condition(message):
                return message
        raise AssertionError(f"no {kind}")

    def send(self, **message):
        self.socket.send(json.dumps(message))

    def ask(self, **message):
        self.number += 1
        self.send(**{**message, "id": self.number})
        return self.next("answer", lambda m: m["id"] == self.number)

    def do(self, what, value=None):
        return self.ask(t="do", what=what, value=value)

    def close(self):
        self.socket.close()


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path)
    yield made
    made.web.end()


def test_every_answer_carries_the_policy_and_nothing_names_another_host(server):
    for path in ("/", "/page/js/main.js", "/page/base.css", "/episodes", "/nowhere", "/healthz"):
        status, headers, body = server.get(path)
        assert status == (404 if path == "/nowhere" else 200), path
        if path != "/nowhere":
            assert headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
            assert b"http://" not in body.replace(b"http://www.w3.org/2000/svg", b"")
            assert b"https://" not in body


def test_files_outside_the_page_are_not_served(server):
    for path in ("/page/../app.py", "/page/%2e%2e/node.py", "/page//etc/passwd", "/page/nothing"):
        assert server.get(path)[0] == 404


def test_a_command_is_asked_and_its_answer_comes_back(server):
    page = server.page()
    answer = page.do("instruction", "pick up the red block")
    assert answer["ok"]
    asked = {"instruction": "pick up the red block"}
    wanted = {("policy", "set_instruction"), ("recorder", "set_instruction")}
    assert {(n, s) for n, s, fields in server.robot.asked if fields == asked} == wanted
    assert any("instruction 'pick up the red block'" in note for note in server.robot.notes)
    server.robot.answers["policy", "start"] = (False, "NOT_READY: no camera")
    assert page.do("start") | {"id": 0} == {
        "t": "answer", "id": 0, "ok": False, "text": "NOT_READY: no camera",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ({"t": "do", "what": "launch"}, "no command 'launch'"),
        ({"t": "do", "what": "instruction", "value": 7}, "a text is needed"),
        ({"t": "do", "what": "instruction", "value": "x" * 1001}, "1001 characters"),
        ({"t": "do", "what": "trash", "value": {"episode": "../../etc"}}, "no episode"),
        ({"t": "do", "what": "label", "value": None}, "a text is needed"),
        ({"t": "do", "what": "dataset"}, "no kept episode"),
        ({"t": "shout"}, "no message 'shout'"),
        ({"t": "control", "what": "grab"}, "taken, released"),
        ({"t": "drive", "press": "one", "held": True}, "whole number"),
        ({"t": "drive", "press": 1, "held": True, "arm": 5}, "arm 5"),
        ({"t": "drive", "press": 1, "held": True, "linear": [1, 2]}, "three numbers"),
        ({"t": "drive", "press": 1, "held": True, "base": [0, "a", 0]}, "no number"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(server, message, said):
    page = server.page()
    answer = page.ask(**message)
    assert not answer["ok"]
    assert said in answer["text"]
    assert [d for d in server.robot.driven if d] == []


@pytest.mark.parametrize("text", ["nonsense", "[]", "[" * 5000, '"a"', "x" * 20000])
def test_a_message_that_is_none_ends_the_connection_and_not_the_server(server, text):
    page = server.page()
    page.socket.send(text)
    with pytest.raises(ConnectionClosed):
        while True:
            page.socket.recv(timeout=10)
    assert server.page().do("start")["ok"]


def test_who_watches_commands_nothing_and_stops_all_the_same(server):
    first, second = server.page("page-one"), server.page("page-two")
    for refused in (second.do("start"), second.ask(**DRIVE, press=1)):
        assert not refused["ok"]
        assert "take control" in refused["text"]
    assert server.robot.asked == []
    second.send(t="stop")
    server.robot.wait(lambda: len(server.robot.asked) == 2)
    assert {(n, s) for n, s, _ in server.robot.asked} == {("policy", "stop"), ("teleop", "stop")}
    assert first.do("start")["ok"]


def test_control_is_asked_granted_and_the_old_dead_man_is_let_go(server):
    first, second = server.page("page-one"), server.page("page-two")
    first.send(**DRIVE, press=1)
    server.robot.wait(lambda: any(server.robot.driven))
    assert "asked to hand over" in second.ask(t="control", what="take")["text"]
    state = first.next("state", lambda s: s["you"]["asking"])
    assert first.ask(t="control", what="grant", to=state["you"]["asking"][0]["key"])["ok"]
    server.robot.wait(lambda: server.robot.driven[-1] is None)
    assert second.next("state", lambda s: s["you"]["controls"])
    assert not first.do("start")["ok"]
    assert second.do("start")["ok"]


def test_the_dead_man_runs_out_by_the_servers_clock(server):
    page = server.page()
    for _ in range(5):
        page.send(**DRIVE, press=1)
        time.sleep(0.04)
    server.robot.wait(lambda: len([d for d in server.robot.driven if d]) == 5)
    server.robot.wait(lambda: server.robot.driven[-1] is None)
    assert any("milli" in note or "ms of silence" in note for note in server.robot.notes)
    moved = len(server.robot.driven)
    assert "press again" in page.ask(**DRIVE, press=1)["text"], "that press ran out"
    assert len(server.robot.driven) == moved
    page.send(**DRIVE, press=2)
    server.robot.wait(lambda: server.robot.driven[-1] is not None)


def test_a_socket_that_closes_lets_go_and_a_stop_does_too(server):
    page = server.page()
    page.send(**DRIVE, press=1)
    server.robot.wait(lambda: any(server.robot.driven))
    page.close()
    server.robot.wait(lambda: server.robot.driven[-1] is None)
    again = server.page()
    again.send(**DRIVE, press=5)
    server.robot.wait(lambda: server.robot.driven[-1] is not None)
    again.send(t="stop")
    server.robot.wait(lambda: server.robot.driven[-1] is None)
    assert not again.ask(**DRIVE, press=5)["ok"]
    assert server.robot.driven[-1] is None, "after a stop it has to be pressed anew"


def test_numbers_are_clipped_to_full_speed(server):
    page = server.page()
    page.send(t="drive", press=1, held=True, linear=[9, -9, 0.5], gripper=7, axis_rate=-3, axis=0)
    server.robot.wait(lambda: any(server.robot.driven))
    drive = server.robot.driven[0]
    assert drive.linear == (1.0, -1.0, 0.5)
    assert (drive.gripper, drive.axis_rate) == (1.0, -1.0)


def test_without_a_node_the_page_is_told_which_to_start(server):
    server.robot.absent = {"policy", "teleop", "recorder"}
    page = server.page()
    assert "evla run policy" in page.do("start")["text"]
    assert "evla run recorder" in page.do("keep")["text"]
    assert "evla run teleop" in page.ask(**DRIVE, press=1)["text"]


def test_stop_by_a_request_works_without_a_socket(server):
    assert server.get("/stop", "POST")[0] == 200
    server.robot.wait(lambda: len(server.robot.asked) == 2)
    assert server.get("/stop")[0] == 405, "a link must not stop a robot"
    refused = server.get("/stop", "POST", Origin="http://evil.example")
    assert refused[0] == 403
    assert len(server.robot.asked) == 2


def test_pages_of_other_sites_get_no_socket(server):
    for path in ("control?page=page-one", "video"):
        with pytest.raises(InvalidStatus):
            connect(f"ws://{server.host}/{path}", origin="http://evil.example")


def test_video_has_one_picture_of_a_camera_in_flight_and_it_is_the_newest(server):
    with connect(f"ws://{server.host}/video") as video:
        video.send(json.dumps({"show": ["arm_camera"]}))
        server.robot.wait(lambda: ["arm_camera"] in server.robot.watched)
        server.robot.show("arm_camera", 1)
        server.web.new_picture()
        first = _picture(video)
        assert (first["camera"], first["n"]) == ("arm_camera", 1)
        assert 0.05 <= first["age_s"] < 5.0
        for number in (2, 3, 4):
            server.robot.show("arm_camera", number)
            server.web.new_picture()
        with pytest.raises(TimeoutError):
            video.recv(timeout=0.3)
        video.send(json.dumps({"got": "arm_camera"}))
        assert _picture(video)["n"] == 4
    server.robot.wait(lambda: server.robot.watched[-1] == [])


def test_a_page_that_does_not_take_its_pictures_holds_up_nothing(server):
    with connect(f"ws://{server.host}/video") as video:
        video.send(json.dumps({"show": ["arm_camera"]}))
        server.robot.wait(lambda: ["arm_camera"] in server.robot.watched)
        for number in range(50):
            server.robot.show("arm_camera", number)
            server.web.new_picture()
        page = server.page()
        page.send(t="stop")
        server.robot.wait(lambda: len(server.robot.asked) == 2)


def _picture(video):
    data = video.recv(timeout=10)
    size = int.from_bytes(data[:4], "little")
    assert data[4 + size :] == JPEG
    return json.loads(data[4 : 4 + size])


def test_the_same_page_twice_is_one_page(server):
    first = server.page("page-one")
    second = server.page("page-one")
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            first.socket.recv(timeout=10)
    assert closed.value.rcvd.code == 4000
    assert second.do("start")["ok"]


def test_tokens_over_real_requests(tmp_path):
    operator, viewer = "operator-token-0123", "viewer-token-012345"
    (tmp_path / "people").write_text(f"ada {operator}\n")
    (tmp_path / "guests").write_text(f"eve {viewer}\n")
    options = Listening(
        port=0, token_file=str(tmp_path / "people"), view_token_file=str(tmp_path / "guests")
    )
    server = Server(tmp_path, options)
    try:
        assert server.get("/")[0] == 401
        assert b'id="token"' in server.get("/")[2], "the page asks for it"
        assert server.get("/episodes")[0] == 401
        assert server.get("/stop", "POST")[0] == 401
        with pytest.raises(InvalidStatus):
            server.page()
        assert server.get("/enter", "POST", b'{"token": "wrong-token-wrong"}')[0] == 401
        assert server.get("/enter", "POST", b"x" * 9000)[0] == 401
        status, headers, _ = server.get("/enter", "POST", json.dumps({"token": viewer}).encode())
        assert status == 200
        cookie = headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert viewer not in cookie
        page = server.page(Cookie=cookie.partition(";")[0])
        assert "take control" in page.do("start")["text"]
        assert "read-only" in page.ask(t="control", what="take")["text"]
        page.send(t="stop")
        server.robot.wait(lambda: len(server.robot.asked) == 2)
        other = server.page("page-two", Authorization=f"Bearer {operator}")
        assert other.do("start")["ok"]
        assert any(note.startswith("ada: start") for note in server.robot.notes)
    finally:
        server.web.end()
