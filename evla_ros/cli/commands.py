# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Commands that share their first arguments: `evla` and its verbs, `evla train` and its kinds.

The module of a command has either `COMMANDS`, which are the next word's, or

    Options           a dataclass of options (evla_ros/options.py)
    EXAMPLES          whole command lines, for the help (may be left out)
    run(options)      does it and returns the exit code
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from evla_ros.cli.parser import UsageError, parse
from evla_ros.errors import nearest


def _run(module: ModuleType, options: Any) -> int:
    return int(module.run(options))


@dataclass(frozen=True)
class Commands:
    """What can come next on the command line.

    Attributes:
        prefix: the command before, such as `evla train`.
        noun: what one of them is called in a sentence, such as `training`.
        package: where the module of each command is, under the command's name.
        summaries: one line about each command, without a full stop.
        examples: whole command lines.
        execute: what is done with a command's module and its options.
        elsewhere: names that are no commands here, and the sentence that says where they are.
        otherwise: the command that is meant where the first word names none; empty: an error.
    """

    prefix: str
    noun: str
    package: str
    summaries: Mapping[str, str]
    examples: Sequence[str] = ()
    execute: Callable[[ModuleType, Any], int] = _run
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = ""

    def available(self) -> dict[str, str]:
        """Return the summaries of those whose module is in this installation."""
        return {name: text for name, text in self.summaries.items() if self._has(name)}

    def run(self, argv: Sequence[str]) -> int:
        """Run the command that the first word names; returns the exit code."""
        known, see = self.available(), f"`{self.prefix} --help`"
        if not argv:
            raise UsageError(f"name the {self.noun}: {', '.join(known)}; see {see}")
        name, *rest = argv
        if name in ("-h", "--help"):
            print(self.overview())
            return 0
        if name in self.elsewhere:
            raise UsageError(self.elsewhere[name])
        if name not in known and self.otherwise:
            name, rest = self.otherwise, list(argv)
        if name not in known:
            noun = "option" if name.startswith("-") else self.noun
            near = nearest(name, known)
            end = "" if near.endswith("?") else "."
            raise UsageError(f"unknown {noun} {name!r}: {near}{end} See {see}.")
        module = self._module(name)
        if hasattr(module, "COMMANDS"):
            return int(module.COMMANDS.run(rest))
        about = f"{known[name][:1].upper()}{known[name][1:]}."
        prog, examples = f"{self.prefix} {name}", getattr(module, "EXAMPLES", "")
        return self.execute(module, parse(module.Options, rest, prog, about, examples))

    def overview(self) -> str:
        """Return the help: every command with its summary."""
        known = self.available()
        width = max(map(len, known), default=0)
        rows = [f"  {name:<{width}} {text}" for name, text in known.items()]
        examples = [f"  {line}" for line in self.examples]
        usage = f"usage: {self.prefix} <{self.noun}> [options]"
        more = f"       {self.prefix} <{self.noun}> --help    options and examples"
        return "\n".join([usage, more, "", f"{self.noun}s:", *rows, "", "examples:", *examples])

    def leaves(self) -> Iterator[tuple[str, ModuleType]]:
        """Yield every command that has options, with its module: `evla train nano`, ..."""
        for name in self.available():
            module = self._module(name)
            if hasattr(module, "COMMANDS"):
                yield from module.COMMANDS.leaves()
            else:
                yield f"{self.prefix} {name}", module

    def _module(self, name: str) -> ModuleType:
        return importlib.import_module(f"{self.package}.{name}")

    def _has(self, name: str) -> bool:
        try:
            return importlib.util.find_spec(f"{self.package}.{name}") is not None
        except ModuleNotFoundError:  # nor its package
            return False
