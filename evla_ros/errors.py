# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The root of every error that a user can cause; its message is one sentence that names the fix."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST_WORD, _MOST_NAMES = 100, 40


class EvlaError(Exception):
    """A user's mistake or a failed precondition: what, the offending value, and what fixes it."""


def nearest(word: str, valid: Iterable[str]) -> str:
    """Return `did you mean 'x'?` for the closest valid name, or the list of valid names."""
    names = list(valid)
    close = difflib.get_close_matches(word[:_LONGEST_WORD], names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {shorten(repr(close[0]))}?"
    listed = ", ".join(shorten(name) for name in names[:_MOST_NAMES])
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"valid names: {listed or 'none'}{more}"


def shown(value: object) -> str:
    """Return a text as it can be printed anywhere, on one line.

    Control characters and the bytes of file names that are not UTF-8 become escapes.
    """
    return "".join(c if c.isprintable() else _escaped(c) for c in str(value))


def shorten(text: str, most: int = 80) -> str:
    """Return a text on one line, at most `most` characters of it: a long one loses its middle."""
    if len(text) > 4 * most:
        text = text[: 2 * most] + text[-2 * most :]
    line, end = shown(text), most // 4
    return line if len(line) <= most else f"{line[: most - end - 5]} ... {line[-end:]}"


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name, see PEP 383
        return f"\\x{code - 0xDC00:02x}"
    return character.encode("unicode_escape").decode("ascii")
