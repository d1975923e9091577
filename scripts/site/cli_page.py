# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The page of every command of `evla`, with its options as the command line itself has them."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from types import ModuleType

from evla_ros.cli.commands import Commands
from evla_ros.cli.main import COMMANDS
from evla_ros.cli.parser import help_of, usage
from evla_ros.options import Declared, declared

HEAD = """# The command line

Every command of `evla`, with its options, defaults and examples. `evla COMMAND --help` prints the
same. Lists are written with spaces: `--tasks reach lift`. Exit codes: 0 done, 1 ran and found or
met a problem, 2 bad input. `--debug` shows the traceback of an error.
"""


def page() -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    for line, summary, module in commands(COMMANDS):
        options = list(declared(module.Options))
        parts += [f"## `{line}`", f"{summary[:1].upper()}{summary[1:]}."]
        parts += [f"```text\n{usage(line, options)}\n```", _table(options)]
        examples = getattr(module, "EXAMPLES", "").strip()
        if examples:
            parts.append(f"```text\n{examples}\n```")
    return "\n\n".join(parts) + "\n"


def commands(group: Commands) -> Iterator[tuple[str, str, ModuleType]]:
    """Yield every command that has options: its words, its summary and its module."""
    for name, summary in group.available().items():
        module = importlib.import_module(f"{group.package}.{name}")
        if hasattr(module, "COMMANDS"):
            yield from commands(module.COMMANDS)
        else:
            yield f"{group.prefix} {name}", summary, module


def _table(options: list[Declared]) -> str:
    rows = ["| option | takes | meaning |", "|---|---|---|"]
    for one in options:
        needed = " **required**" if one.required else ""
        text = help_of(one).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
        rows.append(f"| `{one.name}`{needed} | {_takes(one)} | {text} |")
    return "\n".join(rows)


def _takes(one: Declared) -> str:
    if one.kind is bool:
        return ""
    if one.choices:
        return ", ".join(f"`{choice}`" for choice in one.choices)
    metavar = one.option.metavar or one.kind.__name__
    word = " ".join(metavar) if isinstance(metavar, tuple) else metavar
    return f"{word} ..." if one.many and not one.pairs else word
