# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The caps on what is read from files of others, so that a bad file ends in a sentence.

Each is a setting: an environment variable of its name holds another value, such as
`EVLA_MAX_PIXELS=200M`. Processes that a command starts inherit it. The table is printed in
docs/dataset.md.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass

from evla_ros.errors import EvlaError

_NUMBER = re.compile(r"(\d{1,18})([KMGT]?)", re.ASCII)
_FACTOR = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


@dataclass(frozen=True)
class Limit:
    """One cap.

    Attributes:
        variable: The environment variable that changes it.
        default: Its value without that.
        unit: What is counted, in the plural.
        meaning: Of what, for the table in the docs.
    """

    variable: str
    default: int
    unit: str
    meaning: str

    @property
    def value(self) -> int:
        """The cap in force.

        Raises:
            EvlaError: The environment variable is no positive whole number.
        """
        text = os.environ.get(self.variable, "").strip()
        if not text:
            return self.default
        found = _NUMBER.fullmatch(text.upper())
        number = int(found[1]) * _FACTOR[found[2]] if found else 0
        if number < 1:
            raise EvlaError(
                f"{self.variable}={text!r} is no whole number above 0 (K, M, G and T may follow)"
            )
        return number

    def sentence(self, found: int | str) -> str:
        """Return that an amount is above the cap, naming the cap and its variable."""
        return f"{found} {self.unit}, the limit is {self.value} (set {self.variable} to raise it)"

    def check(self, found: int, what: str, error: type[EvlaError] = EvlaError) -> None:
        """Refuse what is above the cap.

        Args:
            found: The amount, in `unit`.
            what: What has that amount, as the beginning of the sentence.
            error: The type of the error.

        Raises:
            EvlaError: The amount is above the cap; the message names the cap and its variable.
        """
        if found > self.value:
            raise error(f"{what}: {self.sentence(found)}")


CHUNK_BYTES = Limit(
    "EVLA_MAX_CHUNK_BYTES", 1 << 28, "bytes", "one chunk of a bag, or one message, unpacked"
)
EXPANSION = Limit(
    "EVLA_MAX_EXPANSION",
    1000,
    "times its size",
    "a file of a bag when it is unpacked, in times its size; 1 GiB is always allowed",
)
HELD_BYTES = Limit(
    "EVLA_MAX_HELD_BYTES", 1 << 30, "bytes", "messages of a bag that wait to be put in order"
)
TICKS = Limit("EVLA_MAX_TICKS", 250_000, "ticks", "one bag, from its first stamp to its last")
PIXELS = Limit("EVLA_MAX_PIXELS", 1 << 26, "pixels", "one picture")
FILES = Limit(
    "EVLA_MAX_FILES", 100_000, "files", "looked at below a folder, in a bag, or in a split"
)
EPISODES = Limit("EVLA_MAX_EPISODES", 10_000_000, "episodes", "one split of a dataset")
YAML_BYTES = Limit("EVLA_MAX_YAML_BYTES", 1 << 20, "bytes", "one YAML file")
JSON_BYTES = Limit("EVLA_MAX_JSON_BYTES", 1 << 26, "bytes", "one JSON file")
CAPTIONS_BYTES = Limit(
    "EVLA_MAX_CAPTIONS_BYTES", 1 << 32, "bytes", "one JSON file of conversations to pretrain on"
)
VALUES = Limit(
    "EVLA_MAX_YAML_VALUES", 200_000, "values", "one YAML file, with its aliases written out"
)
DEPTH = Limit("EVLA_MAX_DEPTH", 64, "levels", "nesting in a YAML or JSON file")
DIGITS = Limit("EVLA_MAX_DIGITS", 300, "digits", "one number in a YAML or JSON file")

LIMITS = (
    CHUNK_BYTES,
    EXPANSION,
    HELD_BYTES,
    TICKS,
    PIXELS,
    FILES,
    EPISODES,
    YAML_BYTES,
    JSON_BYTES,
    CAPTIONS_BYTES,
    VALUES,
    DEPTH,
    DIGITS,
)
