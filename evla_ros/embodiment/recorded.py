# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The section of an embodiment file for what is recorded and is no input of the policy."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from evla_ros.embodiment.fields import Age, Identifier, Section, Topic


class Recorded(Section):
    """A topic of any type that is kept in the bag; numbers and depth become dataset columns."""

    topic: Topic = Field(description="of any message type and quality of service")
    name: Identifier | None = Field(
        None, description="of its column; left out: the topic in lower_snake_case"
    )
    column: Literal["numbers", "depth", "none"] = Field(
        "numbers",
        description="numbers: the message's numeric fields; depth: a depth image as 16-bit PNG in "
        "millimetres; none: in the bag only",
    )
    max_age_s: Age = Field(
        0.5, description="a step of a dataset needs a sample at most this old [s]"
    )

    @model_validator(mode="before")
    @classmethod
    def _from_word(cls, value: Any) -> Any:
        """Take a topic alone."""
        return {"topic": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _settings_have_effect(self) -> Recorded:
        for setting in ("max_age_s", "name"):
            if self.column == "none" and setting in self.model_fields_set:
                raise ValueError(f"{setting!r} has no effect: column is none")
        return self

    @model_serializer(mode="wrap")
    def _without_absent(self, plain: SerializerFunctionWrapHandler) -> dict[str, object]:
        """Leave out what the file leaves out."""
        return {name: value for name, value in plain(self).items() if value is not None}

    @property
    def key(self) -> str:
        """The name of its column."""
        words = "_".join(re.findall(r"[a-z0-9]+", self.topic.lower()))
        return self.name or (words if words[:1].isalpha() else f"topic_{words}")


def check_recorded(recorded: list[Recorded]) -> None:
    """Check that no topic and no name is there twice; ValueError names the entry and the fix."""
    topics: dict[str, int] = {}
    names: dict[str, int] = {}
    for index, one in enumerate(recorded):
        first = topics.setdefault(one.topic.lstrip("/"), index)
        if first != index:
            raise ValueError(f"record[{index}].topic {one.topic!r} is that of record[{first}] too")
        first = names.setdefault(one.key, index)
        if first != index:
            raise ValueError(
                f"record[{index}].name {one.key!r} is that of record[{first}] too; name one of them"
            )
