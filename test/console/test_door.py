# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who is let in: loopback without a token, everybody else with one; pages of others never."""

from __future__ import annotations

import pytest

from evla_ros.console.errors import ConsoleError
from evla_ros.console.options import Listening
from evla_ros.console.server.door import Door, Visitor
from evla_ros.serving.access import Refusal

OPERATOR, VIEWER = "operator-token-0123", "viewer-token-012345"


@pytest.fixture
def guarded(tmp_path):
    for name, line in (("people", f"ada {OPERATOR}"), ("guests", f"eve {VIEWER}")):
        (tmp_path / name).write_text(line + "\n", encoding="utf-8")
    return Listening(
        host="0.0.0.0", token_file=str(tmp_path / "people"),
        view_token_file=str(tmp_path / "guests"), plaintext=True,
    )  # fmt: skip


def local(**headers):
    return {"host": "127.0.0.1:8080", **headers}


def test_everybody_on_this_machine_may_operate():
    assert Door(Listening()).admit(local(), "", "127.0.0.1") == Visitor("127.0.0.1", True)


@pytest.mark.parametrize(
    "headers",
    [
        local(origin="http://evil.example"),
        local(origin="null"),
        local(origin="http://127.0.0.1:9999"),
        local(origin="https://127.0.0.1:8080"),
        {"host": "evil.example:8080"},
        {"host": "evil.example:8080", "origin": "http://evil.example:8080"},
        {},
    ],
)
def test_pages_of_others_and_names_made_to_point_here_are_refused(headers):
    refusal = Door(Listening()).admit(headers, "", "127.0.0.1")
    assert isinstance(refusal, Refusal)
    assert refusal.status == 403


def test_the_own_page_and_a_named_proxy_may_ask():
    door = Door(Listening(origins=("https://robot.example",)))
    for origin in ("http://127.0.0.1:8080", "https://robot.example"):
        assert door.admit(local(origin=origin), "", "me") == Visitor("me", True)


def test_a_token_becomes_a_cookie_with_its_rights(guarded):
    door = Door(guarded)
    for token, visitor in ((OPERATOR, Visitor("ada", True)), (VIEWER, Visitor("eve", False))):
        cookie = door.enter(token)
        assert cookie
        assert token not in cookie
        assert door.admit({"host": "robot:8080"}, cookie, "192.0.2.7") == visitor
        header = {"host": "robot:8080", "authorization": f"Bearer {token}"}
        assert door.admit(header, "", "192.0.2.7") == visitor


@pytest.mark.parametrize("cookie", ["", "x" * 32, OPERATOR])
def test_without_a_token_nobody_comes_in(guarded, cookie):
    refusal = Door(guarded).admit({"host": "robot:8080"}, cookie, "192.0.2.7")
    assert isinstance(refusal, Refusal)
    assert refusal.status == 401
    assert Door(guarded).enter("not-a-token-at-all") is None
    assert Door(guarded).enter("") is None


def test_where_others_connect_a_token_is_drawn_for_this_run():
    one, other = (Door(Listening(host="0.0.0.0", plaintext=True)) for _ in range(2))
    links = one.links("http://robot:8080/")
    assert links["operate"].startswith("http://robot:8080/#")
    token = links["operate"].partition("#")[2]
    assert len(token) >= 32
    assert one.enter(token)
    assert other.enter(token) is None
    assert one.admit({"host": "robot"}, one.enter(links["watch"].partition("#")[2]), "x") == (
        "viewer", False,
    )  # fmt: skip


def test_an_open_address_without_tls_has_to_be_asked_for():
    with pytest.raises(ConsoleError, match="without TLS"):
        Door(Listening(host="0.0.0.0"))


def test_a_token_that_is_in_both_files_and_a_file_without_effect_are_refused(tmp_path, guarded):
    people = guarded.token_file
    with pytest.raises(ConsoleError, match="stands in --token-file and"):
        Door(Listening(token_file=people, view_token_file=people))
    with pytest.raises(ConsoleError, match="no effect without --token-file"):
        Door(Listening(view_token_file=people))
    with pytest.raises(ConsoleError, match="nowhere"):
        Door(Listening(token_file=str(tmp_path / "nowhere")))
