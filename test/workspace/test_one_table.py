# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Topics and message types of a robot come from one table; nobody else asks the embodiment."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TABLE = "evla_ros/embodiment/streams.py"
# A `request` is MoveIt Servo's, which has a command_type of its own.
ASKS = re.compile(
    r"state_type ==|command_type ==|transport ==|pose\.topic (is|or)\b"
    r"|(?<!request)\.(transport|state_type|command_type|state_joint)\b(?!\.abort)"
)
TYPES = re.compile(r"""["'](sensor|std|geometry|nav|trajectory|tf2)_msgs/msg/""")
# The schema checks the file's own words; bytes of a type are read and written by its name.
MAY_ASK = {
    TABLE,
    "evla_ros/embodiment/schema.py",
    "evla_ros/embodiment/moving_parts.py",
}
# Of what is only recorded the table says no type: units and kinds of column go by the message.
MAY_NAME_TYPES = {
    TABLE,
    "evla_ros/data/messages.py",
    "evla_ros/data/bags/encode.py",
    "evla_ros/data/codecs/units.py",
    "evla_ros/data/codecs/numbers.py",
    "evla_ros/data/proposal/recorded.py",
}


def _lines(pattern, allowed):
    for folder in ("evla_ros", "test/rigs"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            name = str(path.relative_to(ROOT))
            if name in allowed:
                continue
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                if pattern.search(line):
                    yield f"{name}:{number}: {line.strip()}"


@pytest.mark.parametrize("word", ['if camera.transport == "raw":', "if arm.pose.topic is None:"])
def test_the_pattern_finds_what_it_is_for(word):
    assert ASKS.search(word)


def test_nobody_else_asks_which_type_a_topic_has():
    found = list(_lines(ASKS, MAY_ASK))
    assert not found, f"read {TABLE} instead:\n" + "\n".join(found)


def test_nobody_else_names_the_types_of_the_robots_topics():
    found = [line for line in _lines(TYPES, MAY_NAME_TYPES) if "types[" not in line]
    assert not found, f"import the type from {TABLE}:\n" + "\n".join(found)
