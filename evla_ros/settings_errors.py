# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a wrong setting reads, the same for every file: where it stands, dotted path, nearest key."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from evla_ros.errors import nearest, shorten

Keys = tuple[int | str, ...]
MOST_LINES = 20


class Problem(NamedTuple):
    """One wrong setting: its place in the file, and what is wrong with it."""

    keys: Keys
    text: str

    def __str__(self) -> str:
        """Return `arms[0].goal.topic: what is wrong`."""
        path = dotted(self.keys)
        return f"{path}: {self.text}" if path else self.text


def problems(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """Return one problem for every fault that pydantic found in data of `model`."""
    return [_problem(dict(item), model) for item in error.errors(include_url=False)]


def lines(found: list[Problem], source: str, changes: Mapping[Keys, str] | None = None) -> str:
    """Return a line per problem, each beginning with where the wrong setting was written.

    Args:
        found: the problems.
        source: the file's name.
        changes: settings that the command line changed: keys (all text) -> the word typed.
    """
    told = [f"{written(p.keys, source, changes or {})}: {p}" for p in found[:MOST_LINES]]
    left = len(found) - MOST_LINES
    return "\n".join([*told, f"{source}: and {left} more wrong settings"] if left > 0 else told)


def written(keys: Keys, source: str, changes: Mapping[Keys, str]) -> str:
    """Return whose fault a problem at `keys` is: the file's, the command line's, or both's."""
    path = tuple(str(key) for key in keys)
    typed = [word for key, word in changes.items() if path[: len(key)] == key]
    if typed:
        return f"command line, {shorten(repr(typed[-1]), 200)}"
    within = [word for key, word in changes.items() if key[: len(path)] == path]
    return f"{source} with {shorten(' '.join(within), 200)}" if within else source


def dotted(keys: Keys) -> str:
    """Return `arms[0].goal` for ("arms", 0, "goal")."""
    text = "".join(f"[{key}]" if isinstance(key, int) else f".{shorten(key, 60)}" for key in keys)
    return text.removeprefix(".")


def _problem(item: dict[str, Any], model: type[BaseModel]) -> Problem:
    keys: Keys = tuple(key for key in item["loc"] if key != "[key]")
    kind, value = item["type"], item["input"]
    if kind == "extra_forbidden":
        return Problem(keys, f"unknown key; {_hint(keys, model)}")
    if kind == "missing":
        return Problem(keys, "missing; this key is required")
    message = str(item["msg"]).removeprefix("Value error, ")
    if kind == "value_error":
        return Problem(keys, shorten(message, 400))
    message = shorten(message[:1].lower() + message[1:], 400)
    if isinstance(value, dict | list):
        return Problem(keys, message)
    if kind == "literal_error":
        allowed = re.findall(r"'([^']*)'", str(item.get("ctx", {}).get("expected", "")))
        close = difflib.get_close_matches(str(value)[:100], allowed, n=1, cutoff=0.6)
        message += f"; did you mean {close[0]!r}?" if close else ""
    return Problem(keys, f"{shorten(repr(value))} is not accepted: {message}")


def _hint(keys: Keys, model: type[BaseModel]) -> str:
    """Return the nearest key of the section; else where in the file a key of that name belongs."""
    word, names = str(keys[-1])[:100], list(_section(keys[:-1], model).model_fields)
    if not difflib.get_close_matches(word, names, n=1, cutoff=0.6):
        elsewhere = [path for path in _paths(model) if path[-1] == word]
        if len(elsewhere) == 1:
            return f"did you mean {'.'.join(elsewhere[0])!r}?"
    return nearest(word, names)


def _section(keys: Keys, model: type[BaseModel]) -> type[BaseModel]:
    """Return the model of the section at that path."""
    for key in keys:
        field = model.model_fields.get(str(key))
        if field is None:
            continue  # an index into a list, or a key of a mapping: same model
        model = next(iter(_models_in(field.annotation)), model)
    return model


def _paths(model: type[BaseModel], at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in model.model_fields.items():
        yield (*at, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _paths(field.annotation, (*at, name))


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [m for inner in getattr(annotation, "__args__", ()) for m in _models_in(inner)]
