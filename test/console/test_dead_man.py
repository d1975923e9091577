# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The dead-man of the page: the server times it, and what ran out stays out."""

from __future__ import annotations

from evla_ros.console.server.dead_man import DeadMan


def test_it_holds_while_it_is_repeated_and_ends_when_it_is_silent():
    dead_man = DeadMan(0.2)
    assert dead_man.hold("a", 1, 0.0)
    assert dead_man.hold("a", 1, 0.19)
    assert not dead_man.expired(0.38)
    assert dead_man.expired(0.40)
    assert not dead_man.expired(0.41), "it ends once"
    assert dead_man.held_by == ""


def test_old_messages_after_a_stall_do_not_press_it_again():
    dead_man = DeadMan(0.2)
    assert dead_man.hold("a", 7, 0.0)
    assert not dead_man.hold("a", 7, 1.0), "the press ran out before this came"
    assert not dead_man.hold("a", 7, 1.01)
    assert not dead_man.hold("a", 6, 1.02)
    assert dead_man.hold("a", 8, 1.03), "a new press counts"


def test_one_page_holds_it_at_a_time_and_only_it_lets_go():
    dead_man = DeadMan(0.2)
    assert dead_man.hold("a", 1, 0.0)
    assert not dead_man.hold("b", 9, 0.1)
    assert not dead_man.release("b", 9)
    assert dead_man.held_by == "a"
    assert dead_man.release("a", 1)
    assert not dead_man.hold("a", 1, 0.1), "that press is over"
    assert not dead_man.hold("b", 9, 0.1), "it was let go before it counted"
    assert dead_man.hold("b", 10, 0.1)


def test_a_stop_ends_the_press_for_whoever_holds_it():
    dead_man = DeadMan(0.2)
    assert not dead_man.end()
    dead_man.hold("a", 3, 0.0)
    assert dead_man.end()
    assert not dead_man.hold("a", 3, 0.05)
    assert dead_man.hold("a", 4, 0.05)
