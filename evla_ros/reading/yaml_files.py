# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read YAML that others wrote: the one place that parses it, within the limits of `limits`.

Refused with a sentence, where a plain parser is silent, slow or raises what nobody expects: keys
written twice, values that no tag fits (`!!int abc`), numbers of thousands of digits, deep nesting,
and aliases; where aliases are allowed, what they stand for is counted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from evla_ros.errors import EvlaError, shorten, shown
from evla_ros.reading.limits import DEPTH, DIGITS, VALUES, YAML_BYTES
from evla_ros.reading.text_files import TextError, read_text, refuse

_FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml, where PyYAML has it
_UNEXPECTED = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, RecursionError)


class _StrictLoader(_FASTEST):  # type: ignore[misc]
    """A SafeLoader that refuses keys written twice and numbers of too many digits."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            key = str(key_node.value)
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"key {shorten(repr(key))} is written twice",
                    problem_mark=key_node.start_mark,
                )
            seen.add(key)
        content: dict[Any, Any] = super().construct_mapping(node, deep)
        return content

    def construct_scalar(self, node: yaml.ScalarNode) -> str:
        number = node.tag in ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
        if number and len(node.value) > DIGITS.value:
            raise yaml.MarkedYAMLError(
                problem=DIGITS.sentence(f"a number of {len(node.value)}"),
                problem_mark=node.start_mark,
            )
        text: str = super().construct_scalar(node)
        if "\0" in text:  # no path, name or sentence holds one, and the system refuses it late
            raise yaml.MarkedYAMLError(
                problem="a text holds a zero byte", problem_mark=node.start_mark
            )
        return text


def read_yaml(path: Path, error: type[EvlaError] = TextError, *, aliases: bool = False) -> Any:
    """Return the content of a YAML file; see `parse_yaml`."""
    text = read_text(path, YAML_BYTES, error)
    return parse_yaml(text, shown(path), error, aliases=aliases)


def parse_yaml(
    text: str, source: str, error: type[EvlaError] = TextError, *, aliases: bool = False
) -> Any:
    """Return the content of a YAML text as dicts, lists and values.

    Args:
        text: The text.
        source: Where it is from, for messages.
        error: The type of the error; its only argument is the sentence.
        aliases: Allow `*alias`; without it an alias is refused.

    Raises:
        EvlaError: It is no YAML, or holds what is refused (see the module); with line and column.
    """
    if len(text) > YAML_BYTES.value:
        refuse(source, YAML_BYTES.sentence(len(text)), error, None)
    try:
        _check_events(text, aliases=aliases)
        return yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader subclass
    except yaml.YAMLError as fault:
        refuse(source, _sentence(fault), error, fault)
    except _UNEXPECTED as fault:
        problem = f"not valid YAML: {shorten(str(fault) or type(fault).__name__)}"
        refuse(source, problem, error, fault)


def _sentence(fault: yaml.YAMLError) -> str:
    mark = getattr(fault, "problem_mark", None)
    where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    problem = getattr(fault, "problem", None) or str(fault).splitlines()[0]
    return f"{where}not valid YAML: {shorten(problem, 200)}"


def _check_events(text: str, *, aliases: bool) -> None:
    """Read the text once without building anything, and count what it would build.

    Raises:
        yaml.MarkedYAMLError: A limit is passed, or an alias is not allowed.
    """
    count = _Count(aliases)
    for event in yaml.parse(text, Loader=_FASTEST):
        problem = count.take(event)
        if problem:
            mark: Any = event.start_mark
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)


class _Count:
    """Levels and values of a YAML text, those behind an alias as often as it is written."""

    def __init__(self, aliases: bool) -> None:
        self._aliases = aliases
        self._most_levels, self._most_values = DEPTH.value, VALUES.value
        self._values = 0
        self._sizes: dict[str, int] = {}  # anchor -> values in what it names
        self._open: list[tuple[str | None, int]] = []  # anchor, values before it

    def take(self, event: yaml.Event) -> str:
        """Count an event; return what is wrong with it, or an empty text."""
        problem = ""
        if isinstance(event, (yaml.SequenceStartEvent, yaml.MappingStartEvent)):
            self._open.append((event.anchor, self._values))
            self._values += 1
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            anchor, before = self._open.pop()
            if anchor is not None:
                self._sizes[anchor] = self._values - before
        elif isinstance(event, yaml.ScalarEvent):
            self._values += 1
            if event.anchor is not None:
                self._sizes[event.anchor] = 1
        elif isinstance(event, yaml.AliasEvent):
            problem = self._alias(event.anchor)
        if len(self._open) > self._most_levels:
            return DEPTH.sentence(len(self._open))
        if self._values > self._most_values:
            return VALUES.sentence(self._values)
        return problem

    def _alias(self, name: str | None) -> str:
        anchor = str(name)
        if not self._aliases:
            return f"alias *{shorten(anchor)} is not allowed here; write the value out"
        if anchor not in self._sizes:
            return f"alias *{shorten(anchor)} names nothing that is finished before it"
        self._values += self._sizes[anchor]
        return ""
