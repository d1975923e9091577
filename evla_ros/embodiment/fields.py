# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The kinds of value an embodiment file holds: names, topics, frames, bounded numbers."""

from __future__ import annotations

import re
from typing import Annotated, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

_NAME_PART = "[A-Za-z_][A-Za-z0-9_]*"
_TOPIC = re.compile(rf"~?/?{_NAME_PART}(/{_NAME_PART})*")
_FRAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*(/[A-Za-z0-9_.\-]+)*")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

T = TypeVar("T")


class Section(BaseModel):
    """A part of the file: no key that it does not know, unchanged once loaded."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def _topic(value: str) -> str:
    if not _TOPIC.fullmatch(value):
        raise ValueError(f"{value!r} is not a ROS topic name; use letters, digits, _ and single /")
    return value


def _frame(value: str) -> str:
    if value.startswith("/"):
        raise ValueError(f"{value!r} starts with /; tf2 frame names have no leading slash")
    if not _FRAME.fullmatch(value):
        raise ValueError(f"{value!r} is not a frame name; use letters, digits, _ - and .")
    return value


def _identifier(value: str) -> str:
    if not _IDENTIFIER.fullmatch(value):
        raise ValueError(
            f"{value!r} is not lower_snake_case (a dataset and its columns are named after it)"
        )
    return value


Topic = Annotated[str, AfterValidator(_topic)]
Frame = Annotated[str, AfterValidator(_frame)]
Identifier = Annotated[str, AfterValidator(_identifier)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True)]
Age = Annotated[float, Field(strict=True, allow_inf_nan=False, gt=0.0, le=10.0)]
Corner = Annotated[list[Number], Field(min_length=3, max_length=3)]


def unique(what: str, values: list[str]) -> None:
    """Check that no value occurs twice.

    Args:
        what: what the values are, for the message ("arm name").
        values: the values to check.

    Raises:
        ValueError: names the first value that occurs twice; pydantic turns it into a message.
    """
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{what} {value!r} is used twice; each must be its own")
        seen.add(value)
