# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A command line made of a dataclass of options; every mistake is one sentence with what is valid.

`argparse` splits the arguments and lays out the help; values, bounds and gaps are judged here.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from evla_ros.errors import EvlaError, nearest
from evla_ros.options import Declared, build, declared, value_of

T = TypeVar("T")
_NOUNS: dict[type, str] = {int: "a whole number", float: "a number"}
_LISTS = "A list is written with spaces: {example}."


class UsageError(EvlaError):
    """The command line cannot be understood."""


def parse(owner: type[T], argv: Sequence[str], prog: str, about: str = "", examples: str = "") -> T:
    """Return the options that a command line gives; prints the help and exits when asked for it.

    Args:
        owner: a dataclass of options (evla_ros/options.py).
        argv: the arguments after the command.
        prog: the command, such as `evla train nano`.
        about: what it does, for the help.
        examples: whole command lines, for the help.

    Raises:
        UsageError: a word that is no option, a value that is not allowed, or one that is missing.
    """
    options = list(declared(owner))
    parser = _Parser(prog, options, about, examples)
    found, rest = parser.parse_known_intermixed_args(list(argv))
    for word in rest:
        parser.refuse(word)
    values = {}
    for number, one in enumerate(options):
        value = getattr(found, f"_{number}", None)
        if value is not None and value != []:
            values[one.path] = tuple(value) if one.many or one.option.rest else value
        elif one.required:
            parser.error(f"{one.name} is missing{_swallowed(one, options, argv)}")
    result: T = build(owner, values)
    return result


def to_argv(options: Any) -> list[str]:
    """Return the arguments that give these options, where not default; positional ones first."""
    argv: list[str] = []
    positional: list[str] = []
    for one in declared(type(options)):
        value = value_of(options, one.path)
        if value == one.default:
            continue
        if one.option.positional:
            positional += map(str, value) if one.many else [str(value)]
        elif one.option.repeated:
            argv += [f"{one.name}={word}" for word in value]
        elif one.pairs:
            argv += [word for pair in value for word in (one.name, *map(str, pair))]
        elif one.many:
            argv += [one.name, *map(str, value)]
        else:
            argv.append(one.name if one.kind is bool else f"{one.name}={value}")
    return [*positional, *argv]


class _Parser(argparse.ArgumentParser):
    def __init__(self, prog: str, options: Sequence[Declared], about: str, examples: str) -> None:
        super().__init__(
            prog=prog,
            usage=usage(prog, options),
            description=about,
            epilog="\n\n".join(filter(None, [_about_lists(options), examples])),
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        for number, one in enumerate(options):
            name = [] if one.option.positional else [one.name]
            self.add_argument(*name, **_arguments(one, f"_{number}"))

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError`; argparse calls it for an option that lacks a value."""
        raise UsageError(f"{message}; see `{self.prog} --help`")

    def refuse(self, word: str) -> NoReturn:
        """Raise `UsageError` for a word that nothing takes."""
        if not word.startswith("-"):
            self.error(f"nothing takes the word {word!r}")
        known = [name for name in self._option_string_actions if name.startswith("--")]
        name = word.partition("=")[0]
        self.error(f"no option {name!r}, {nearest(name, known).rstrip('?')}")


def _arguments(one: Declared, dest: str) -> dict[str, Any]:
    """Return what argparse has to know; whether a value is there and valid is judged here."""
    option = one.option
    settings: dict[str, Any] = {"dest": dest, "help": help_of(one).replace("%", "%%")}
    if one.kind is bool:
        return {**settings, "action": "store_true", "default": None}
    settings |= {"type": _reader(one), "metavar": _metavar(one)}
    if option.rest:
        settings["nargs"] = argparse.REMAINDER
    elif option.positional:
        settings["nargs"] = "*" if one.many else "?"
    elif one.option.repeated:
        settings["action"] = "append"
    elif one.pairs:
        settings |= {"nargs": 2, "action": "append"}
    elif one.many:
        settings |= {"nargs": "+", "action": "extend"}
    elif option.bare is not None:
        settings |= {"nargs": "?", "const": option.bare}
    return settings


def help_of(one: Declared) -> str:
    """Return the help of an option with its default."""
    if one.option.unset:
        default = one.option.unset
    elif one.required or one.kind is bool or one.default in (None, "", ()):
        return one.option.help
    else:
        default = " ".join(map(str, one.default)) if one.many else str(one.default)
    return f"{one.option.help} (default: {default})"


def _metavar(one: Declared) -> str | tuple[str, ...]:
    if one.option.metavar:
        return one.option.metavar
    if one.choices:
        return f"{{{','.join(map(str, one.choices))}}}"
    name = one.option.flag or one.path[-1]
    return name if one.option.positional else name.upper()


def usage(prog: str, options: Sequence[Declared]) -> str:
    """Return the line that names what is positional or has to be given."""
    positional, named = [], []
    for one in options:
        word = f"{_metavar(one)} ..." if one.many else str(_metavar(one))
        if one.option.positional:
            positional.append(word if one.required else f"[{word}]")
        elif one.required:
            named.append(f"{one.name} {word}")
    return " ".join([prog, *positional, *named, "[options]"])


def _about_lists(options: Sequence[Declared]) -> str:
    for one in options:
        if _is_spaced(one) and not one.pairs:
            values = [] if one.required else [str(value) for value in one.default[:2]]
            parts = values if len(values) == 2 else [str(_metavar(one))] * 2
            return _LISTS.format(example=" ".join([one.name, *parts]))
    return ""


def _reader(one: Declared) -> Callable[[str], Any]:
    """Return what makes a value of a word, or raises `UsageError` with what is allowed."""

    def read(word: str) -> Any:
        if one.option.read is not None:
            return one.option.read(word)
        if _is_spaced(one) and not one.option.commas and one.kind is not Path:
            _refuse_commas(one, word)
        try:
            value = one.kind(word)
        except ValueError:
            value = None
        if one.choices and value not in one.choices:
            near = nearest(word, map(str, one.choices))
            raise UsageError(f"{one.name} {word!r}: {near}")
        if value is None:
            raise UsageError(f"{one.name} {word!r}: {_NOUNS[one.kind]} is needed")
        if one.kind in _NOUNS and not one.option.allows(value):
            raise UsageError(f"{one.name} {word}: {one.option.allowed}")
        return value

    return read


def _is_spaced(one: Declared) -> bool:
    """Return whether it is a list whose values follow its name, with spaces between them."""
    return one.many and not one.option.positional and not one.option.repeated


def _refuse_commas(one: Declared, word: str) -> None:
    parts = word.split(",")
    if len(parts) > 1 and " " not in word:
        spaced = " ".join([one.name, *filter(None, parts)])
        raise UsageError(f"{one.name} {word!r}: a list is written with spaces: {spaced}")


def _swallowed(one: Declared, options: Sequence[Declared], argv: Sequence[str]) -> str:
    """Say which list took the arguments that were meant for a positional one behind it."""
    lists = [other.name for other in options if _is_spaced(other) and other.name in argv]
    if not one.option.positional or not lists:
        return ""
    return f" ({lists[-1]} takes every word behind it: put {one.name} before it)"
