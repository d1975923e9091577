# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a page can ask for, and which services of which nodes that means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from evla_ros.console.errors import RefusedError

MOST_TEXT = 1000


class Ask(NamedTuple):
    """A service of a node and its request."""

    node: str
    service: str
    fields: Mapping[str, Any]


class Command(NamedTuple):
    """words: for the audit line; asks: the services, of which those that are there are asked."""

    words: str
    asks: Callable[[Any], tuple[Ask, ...]]


def _fixed(*pairs: tuple[str, str]) -> Callable[[Any], tuple[Ask, ...]]:
    asks = tuple(Ask(node, service, {}) for node, service in pairs)
    return lambda _: asks


def text_of(value: Any) -> str:
    """Return what a person typed.

    Raises:
        RefusedError: It is no text, or too long.
    """
    if not isinstance(value, str):
        raise RefusedError("a text is needed")
    if len(value) > MOST_TEXT:
        raise RefusedError(f"the text has {len(value)} characters; at most {MOST_TEXT}")
    return value.strip()


def _instruction(value: Any) -> tuple[Ask, ...]:
    fields = {"instruction": text_of(value)}
    return tuple(Ask(node, "set_instruction", fields) for node in ("policy", "recorder"))


def _scene(value: Any) -> tuple[Ask, ...]:
    return (Ask("sim", "reset", {"task": text_of(value or ""), "seed": -1}),)


STOP = Command("stop", _fixed(("policy", "stop"), ("teleop", "stop")))
COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        "start": Command("start", _fixed(("policy", "start"))),
        "instruction": Command("instruction", _instruction),
        "reset_estop": Command(
            "reset the emergency stop",
            _fixed(("policy", "reset_estop"), ("teleop", "reset_estop")),
        ),
        "record": Command("start an episode", _fixed(("recorder", "start"))),
        "keep": Command("keep the episode", _fixed(("recorder", "keep"))),
        "discard": Command("discard the episode", _fixed(("recorder", "discard"))),
        "success": Command("mark success", _fixed(("recorder", "mark_success"))),
        "failure": Command("mark failure", _fixed(("recorder", "mark_failure"))),
        "intervention": Command("toggle intervention", _fixed(("recorder", "toggle_intervention"))),
        "scene": Command("new scene", _scene),
    }
)
