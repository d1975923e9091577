# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read text, JSON and bytes of files that others wrote, within limits; `yaml_files` reads YAML.

What a plain parser takes in silence or chokes on is a sentence here: a path that is no file (a
pipe, a device), more bytes, levels or digits than the limits allow, text that is not UTF-8, keys
that are written twice.
"""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, NoReturn

from evla_ros.errors import EvlaError, shorten, shown
from evla_ros.reading.limits import DEPTH, DIGITS, JSON_BYTES, Limit

_KERNEL = ("/proc/", "/sys/", "/dev/")


class TextError(EvlaError):
    """A text that cannot be read; `problem` is the message without the name of its source."""

    def __init__(self, source: str, problem: str) -> None:
        self.source, self.problem = source, problem
        super().__init__(f"{source}: {problem}")


def refuse(source: str, problem: str, error: type[EvlaError], cause: Exception | None) -> NoReturn:
    """Raise `error` with a sentence that begins with the name of the source."""
    if issubclass(error, TextError):
        raise TextError(source, problem) from cause
    raise error(f"{source}: {problem}") from cause


def regular_file(path: Path) -> str:
    """Return why a path is no file that can be read to its end; empty when it is one.

    Links are followed. Files that the kernel makes up (`/proc`, `/sys`, `/dev`) are none: some have
    no end.
    """
    try:
        mode = path.stat().st_mode
        place = str(path.resolve())
    except FileNotFoundError:
        return "does not exist"
    except (OSError, ValueError, RuntimeError) as error:
        return f"cannot be read: {getattr(error, 'strerror', None) or error}"
    if stat.S_ISDIR(mode):
        return "is a folder, not a file"
    if not stat.S_ISREG(mode) or place.startswith(_KERNEL):
        return "is no regular file but a pipe, a socket or part of the system"
    return ""


def exists(path: str | Path) -> bool:
    """Return whether there is something at a path.

    Like `is_file` and `is_folder` it never raises: what can be no path (too long, a zero byte, a
    loop of links) is not there.
    """
    return os.path.exists(path)  # noqa: PTH110 - pathlib raises for some of these


def is_file(path: str | Path) -> bool:
    """Return whether there is a regular file at a path; see `exists`."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: str | Path) -> bool:
    """Return whether there is a folder at a path; see `exists`."""
    return os.path.isdir(path)  # noqa: PTH112


def read_bytes(path: Path, limit: Limit, error: type[EvlaError] = TextError) -> bytes:
    """Return the content of a file.

    Args:
        path: The file.
        limit: How many bytes it may have.
        error: The type of the error; its only argument is the sentence.

    Raises:
        EvlaError: It is no regular file, cannot be read, or is too large.
    """
    problem = regular_file(path)
    if problem:
        refuse(shown(path), f"cannot be read: it {problem}", error, None)
    try:
        size = path.stat().st_size
        if size <= limit.value:
            return path.read_bytes()
    except OSError as fault:
        refuse(shown(path), f"cannot be read: {fault.strerror}", error, fault)
    refuse(shown(path), limit.sentence(size), error, None)


def read_text(path: Path, limit: Limit, error: type[EvlaError] = TextError) -> str:
    """Return the content of a UTF-8 file; see `read_bytes`."""
    data = read_bytes(path, limit, error)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as fault:
        refuse(shown(path), f"is not UTF-8 text (byte {fault.start})", error, fault)


def read_json(path: Path, error: type[EvlaError] = TextError, limit: Limit = JSON_BYTES) -> Any:
    """Return the content of a JSON file; see `parse_json`."""
    return parse_json(read_text(path, limit, error), shown(path), error)


def read_json_object(
    path: Path, error: type[EvlaError] = TextError, limit: Limit = JSON_BYTES
) -> dict[str, Any]:
    """Return the content of a file that holds one JSON object; see `parse_json`."""
    content = read_json(path, error, limit)
    if not isinstance(content, dict):
        refuse(shown(path), "expected a JSON object", error, None)
    return content


def parse_json(text: str, source: str, error: type[EvlaError] = TextError) -> Any:
    """Return the content of a JSON text.

    Args:
        text: The text.
        source: Where it is from, for messages.
        error: The type of the error; its only argument is the sentence.

    Raises:
        EvlaError: It is no JSON, writes a key twice, or is above the limits of depth and digits.
    """
    try:
        content = json.loads(text, object_pairs_hook=_object, parse_int=_integer, parse_float=_real)
    except RecursionError as fault:
        refuse(source, DEPTH.sentence("too many"), error, fault)
    except ValueError as fault:
        refuse(source, f"not valid JSON: {shorten(str(fault))}", error, fault)
    if "\\u0000" in text:  # no path, name or sentence holds one, and the system refuses it late
        refuse(source, "a text holds a zero byte", error, None)
    if _deeper_than(content, DEPTH.value):
        refuse(source, DEPTH.sentence("too many"), error, None)
    return content


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for index, key in enumerate(keys) if key in keys[:index])
        raise ValueError(f"key {shorten(repr(twice))} is written twice")
    return content


def _integer(digits: str) -> int:
    return int(_checked(digits))


def _real(digits: str) -> float:
    return float(_checked(digits))


def _checked(digits: str) -> str:
    if len(digits) > DIGITS.value:
        raise ValueError(DIGITS.sentence(f"a number of {len(digits)}"))
    return digits


def _deeper_than(content: Any, levels: int) -> bool:
    """Return whether lists and objects are nested deeper than that."""
    layer = [content]
    for _ in range(levels):
        layer = [
            inner
            for outer in layer
            if isinstance(outer, (list, dict))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (list, dict))
        ]
        if not layer:
            return False
    return True
