# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""An argument parser whose errors are one sentence with the nearest valid word."""

from __future__ import annotations

import argparse
import re
from typing import Any, NoReturn

from evla_ros.errors import EvlaError, nearest


class UsageError(EvlaError):
    """The command line cannot be understood."""


class Parser(argparse.ArgumentParser):
    """`argparse` without abbreviations, with examples as written, raising `UsageError`."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        options.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        options.setdefault("allow_abbrev", False)
        super().__init__(*arguments, **options)

    def error(self, message: str) -> NoReturn:
        """Raise `UsageError` with the nearest valid option or choice."""
        raise UsageError(f"{self._suggest(message)}; see `{self.prog} --help`.")

    def _suggest(self, message: str) -> str:
        unknown = re.fullmatch(r"unrecognized arguments: (--[\w-]+).*", message)
        if unknown:
            options = [option for option in self._option_string_actions if option.startswith("--")]
            return f"{message} ({nearest(unknown[1], options).rstrip('?')})"
        choice = re.search(r"invalid choice: '([^']*)'.*\(choose from (.*)\)", message)
        if choice:
            valid = [word.strip("' ") for word in choice[2].split(",")]
            return f"{message.partition(' (choose')[0]}; {nearest(choice[1], valid)}"
        return message
