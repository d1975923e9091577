# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Verbs that come in kinds (`evla train nano`): every kind is a module with options of its own."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import NamedTuple

from evla_ros.cli.parser import Parser
from evla_ros.errors import EvlaError, nearest


class Kind(NamedTuple):
    """module: of `add_arguments` and what runs. summary: one line, without a full stop."""

    module: str
    summary: str


@dataclass(frozen=True)
class Kinds:
    """verb: `train`. noun: what a kind is called in a sentence. examples: whole command lines."""

    verb: str
    noun: str
    table: Mapping[str, Kind]
    examples: Sequence[str]

    def available(self) -> dict[str, Kind]:
        """Return those whose module is in this installation."""
        return {name: kind for name, kind in self.table.items() if _is_there(kind.module)}

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the kind; everything after it belongs to the kind."""
        kinds = self.available()
        parser.add_argument("kind", nargs="?", help="see below")
        parser.add_argument("rest", nargs=argparse.REMAINDER, metavar="...", help="its options")
        width = max(map(len, kinds), default=0)
        lines = [f"  {name:<{width}} {kind.summary}" for name, kind in kinds.items()]
        examples = [f"  {line}" for line in self.examples]
        parser.epilog = "\n".join(["kinds:", *lines, "", "examples:", *examples])

    def chosen(
        self,
        arguments: argparse.Namespace,
        prepare: Callable[[argparse.ArgumentParser], None] | None = None,
    ) -> tuple[ModuleType, argparse.Namespace]:
        """Return the module of the chosen kind and its options; prepare: declares common ones."""
        kinds, name = self.available(), arguments.kind
        if name is None:
            valid = ", ".join(kinds)
            raise EvlaError(f"name the {self.noun}: {valid}; see `evla {self.verb} --help`")
        if name not in kinds:
            raise EvlaError(f"unknown {self.noun} {name!r}: {nearest(name, kinds)}")
        summary = kinds[name].summary
        parser = Parser(
            prog=f"evla {self.verb} {name}", description=f"{summary[0].upper()}{summary[1:]}."
        )
        if prepare is not None:
            prepare(parser)
        module = importlib.import_module(kinds[name].module)
        module.add_arguments(parser)
        return module, parser.parse_intermixed_args(arguments.rest)


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # nor its package
        return False
