# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One page controls, the others watch; control is asked for and granted."""

from __future__ import annotations

import pytest

from evla_ros.console.errors import RefusedError
from evla_ros.console.server.control import ASK_S, GRACE_S, SILENT_S, Control


@pytest.fixture
def control():
    made = Control()
    made.arrive("ada-page", "ada", 0.0, may_control=True)
    made.arrive("bob-page", "bob", 0.0, may_control=True)
    made.arrive("eve-page", "eve", 0.0, may_control=False)
    return made


def test_the_first_that_may_control_does(control):
    assert control.controls("ada-page")
    assert not control.controls("bob-page")
    lonely = Control()
    lonely.arrive("eve-page", "eve", 0.0, may_control=False)
    assert lonely.controller == ""


def test_control_is_asked_for_and_granted(control):
    assert control.take("bob-page", 1.0) == "ada is asked to hand over"
    assert control.controls("ada-page"), "asking takes nothing"
    assert [page.name for page in control.asking()] == ["bob"]
    assert control.grant("ada-page", "bob-page", yes=True) == "bob has control"
    assert control.controls("bob-page")
    assert control.asking() == []


def test_control_that_is_denied_stays(control):
    control.take("bob-page", 1.0)
    assert control.grant("ada-page", "bob-page", yes=False) == "ada keeps control"
    assert control.controls("ada-page")
    with pytest.raises(RefusedError, match="nobody asks"):
        control.grant("ada-page", "bob-page", yes=True)


def test_only_who_controls_grants_and_a_read_only_page_never_takes(control):
    control.take("bob-page", 1.0)
    with pytest.raises(RefusedError, match="only the page that controls"):
        control.grant("bob-page", "bob-page", yes=True)
    with pytest.raises(RefusedError, match="read-only"):
        control.take("eve-page", 1.0)
    control.release("ada-page")
    with pytest.raises(RefusedError, match="read-only"):
        control.take("eve-page", 1.0)
    assert control.take("bob-page", 1.0) == "you have control"


def test_a_reload_keeps_control_and_a_page_that_left_loses_it(control):
    control.leave("ada-page", 1.0)
    assert control.look(1.0 + GRACE_S / 2) == ""
    control.arrive("ada-page", "ada", 1.0 + GRACE_S / 2, may_control=True)
    assert control.controls("ada-page")
    control.leave("ada-page", 10.0)
    control.beat("bob-page", 10.0)
    assert control.look(10.1 + GRACE_S) != ""
    assert control.take("bob-page", 10.1 + GRACE_S) == "you have control"


def test_who_asks_while_the_controller_is_away_gets_it_when_the_time_is_over(control):
    control.leave("ada-page", 1.0)
    assert "ada is away" in control.take("bob-page", 2.0)
    assert control.controls("ada-page"), "it may only be a reload"
    control.beat("bob-page", 6.0)
    assert control.look(1.1 + GRACE_S) != ""
    assert control.controls("bob-page")


def test_a_page_that_is_not_heard_loses_control(control):
    control.beat("ada-page", 1.0)
    assert control.look(1.0 + SILENT_S - 0.1) == ""
    assert control.look(1.0 + SILENT_S + 0.1) == "ada"
    assert control.controller == ""


def test_a_question_runs_out(control):
    control.take("bob-page", 1.0)
    for second in range(1, int(ASK_S) + 3):
        control.beat("ada-page", float(second))
        control.look(float(second))
    assert control.asking() == []


def test_a_page_that_comes_back_with_a_read_only_token_loses_control(control):
    control.arrive("ada-page", "ada", 1.0, may_control=False)
    assert not control.controls("ada-page")
