# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the names of topics, frames and joints tell: their words, and the side of the robot."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SIDES = {"left": "left", "l": "left", "lh": "left", "right": "right", "r": "right", "rh": "right"}
TARGET = frozenset(
    [
        "target",
        "goal",
        "command",
        "commands",
        "cmd",
        "cmds",
        "commanded",
        "desired",
        "reference",
        "setpoint",
        "equilibrium",
    ]
)
GRIPPER = frozenset(["gripper", "finger", "fingers", "knuckle", "jaw", "jaws", "claw"])


def words(name: str) -> list[str]:
    """Return the words of a name in lower case: `/leftArm/current_pose` has four."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return [word for word in re.split(r"[^a-z0-9]+", parted.lower()) if word]


def has(name: str, wanted: Iterable[str]) -> bool:
    """Return whether one of some words is in a name; numbers behind a word do not count."""
    found = {word.rstrip("0123456789") for word in words(name)} | set(words(name))
    return not found.isdisjoint(wanted)


def side(name: str) -> str:
    """Return `left` or `right` where a name says one of them, else ``."""
    found = {_SIDES[word] for word in words(name) if word in _SIDES}
    return found.pop() if len(found) == 1 else ""


def identifier(name: str, without: Iterable[str] = ()) -> str:
    """Return a name in lower_snake_case, without some words where others are left."""
    every = words(name)
    kept = [word for word in every if word not in set(without)] or every or ["x"]
    text = "_".join(kept)
    return text if text[0].isalpha() else f"x_{text}"


def relative(topic: str, namespace: str) -> str:
    """Return a topic as an embodiment file has it: relative to the robot's namespace."""
    prefix = f"/{namespace.strip('/')}/" if namespace.strip("/") else "/"
    return topic.removeprefix(prefix) if topic.startswith(prefix) else topic
