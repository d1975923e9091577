# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The options of a command, declared once: the frozen dataclass that the work itself takes.

    @dataclass(frozen=True)
    class Collection:
        output: Annotated[Path, Option("the new dataset's folder", positional=True)]
        episodes: Annotated[int, Option("to play", metavar="N", least=1)] = 1000

`evla_ros.cli.parser` makes a command line of it. Fields without an `Option` stay as they are; a
field that is such a dataclass itself adds its options. Nothing here knows of command lines.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin


@dataclass(frozen=True)
class Option:
    """What an option means, beside its type and default.

    Attributes:
        help: one line, without its default.
        metavar: what its value is called; one name for each of a pair.
        positional: given by its position, not by its name.
        least, most, above: bounds of the number, or of each number of a list; `above` excludes.
        unit: of the bounds, for the sentence that refuses a value.
        unset: what happens without the option, where its default does not say it.
        bare: its value when it is given without one; None: it always needs one.
        flag: its name on the command line; empty: the field's.
        read: makes the value of a word; None: the field's type does.
        rest: takes every word behind it, options of others too.
        commas: a value of its list may hold commas; otherwise they are taken for a wrong list.
        repeated: of a list: takes one value, and is given again for every further one.
    """

    help: str
    metavar: str | tuple[str, ...] = ""
    positional: bool = False
    least: float | None = None
    most: float | None = None
    above: float | None = None
    unit: str = ""
    unset: str = ""
    bare: Any = None
    flag: str = ""
    read: Callable[[str], Any] | None = None
    rest: bool = False
    commas: bool = False
    repeated: bool = False

    def allows(self, value: float) -> bool:
        """Return whether a number is within the bounds; what is no number never is."""
        return (
            not math.isnan(value)
            and (self.least is None or value >= self.least)
            and (self.above is None or value > self.above)
            and (self.most is None or value <= self.most)
        )

    @property
    def allowed(self) -> str:
        """The bounds in words, such as `at least 1` or `0 to 10 seconds`."""
        low = "" if self.least is None else f"at least {self.least:g}"
        low = low if self.above is None else f"above {self.above:g}"
        high = "" if self.most is None else f"at most {self.most:g}"
        bounds = ", ".join(filter(None, [low, high])) or "a number"
        if self.least is not None and self.most is not None:
            bounds = f"{self.least:g} to {self.most:g}"
        return f"{bounds} {self.unit}".rstrip()


class Declared(NamedTuple):
    """One option of a dataclass.

    Attributes:
        path: of the field, through dataclasses within dataclasses.
        option: what it means.
        kind: the type of its value, or of each value of a list, or of one of a pair.
        default: `dataclasses.MISSING` when it has to be given.
        choices: the values it can have; empty: any of its kind.
        many: it is a list.
        pairs: it is a list of pairs.
    """

    path: tuple[str, ...]
    option: Option
    kind: type
    default: Any
    choices: tuple[Any, ...] = ()
    many: bool = False
    pairs: bool = False

    @property
    def name(self) -> str:
        """As it is typed: `--first-seed`, or `output` when its position says what it is."""
        name = self.option.flag or self.path[-1]
        return name if self.option.positional else f"--{name.replace('_', '-')}"

    @property
    def required(self) -> bool:
        """Whether it has to be given."""
        return self.default is dataclasses.MISSING


def declared(owner: type) -> Iterator[Declared]:
    """Yield the options of a dataclass, and of the dataclasses that are its fields, in order."""
    hints = typing.get_type_hints(owner, include_extras=True)
    for field in dataclasses.fields(owner):
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint):
            for inner in declared(typing.cast("type", hint)):
                yield inner._replace(path=(field.name, *inner.path))
        elif get_origin(hint) is Annotated:
            kind, *notes = get_args(hint)
            for option in (note for note in notes if isinstance(note, Option)):
                default = field.default
                if field.default_factory is not dataclasses.MISSING:
                    default = field.default_factory()
                yield _declared(field.name, option, kind, default)


def build(owner: type, values: dict[tuple[str, ...], Any], path: tuple[str, ...] = ()) -> Any:
    """Return the dataclass with these values by field path; what is missing has its default."""
    own: dict[str, Any] = {}
    hints = typing.get_type_hints(owner)
    for field in dataclasses.fields(owner):
        inner = (*path, field.name)
        if inner in values:
            own[field.name] = values[inner]
        elif any(key[: len(inner)] == inner for key in values):
            own[field.name] = build(hints[field.name], values, inner)
    return owner(**own)


def value_of(options: Any, path: tuple[str, ...]) -> Any:
    """Return the value at a field path."""
    for name in path:
        options = getattr(options, name)
    return options


def _declared(name: str, option: Option, hint: Any, default: Any) -> Declared:
    """Take a type apart: `X | None`, `tuple[X, ...]`, pairs of them, `Literal`."""
    many = pairs = False
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(kind for kind in get_args(hint) if kind is not types.NoneType)
    if option.read is None and get_origin(hint) is tuple:
        many, hint = True, get_args(hint)[0]
        if get_origin(hint) is tuple:
            pairs, hint = True, get_args(hint)[0]
    choices = get_args(hint) if get_origin(hint) is Literal else ()
    kind = type(choices[0]) if choices else hint
    return Declared((name,), option, kind, default, choices, many, pairs)
