# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a fuzzer needs to know about one kind of file, and helpers that all kinds share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mutations import Random, spoil_bytes

from evla_ros.cli.main import main
from evla_ros.errors import EvlaError

Call = Callable[[], Any]
LONGEST_SENTENCE = 4000


@dataclass(frozen=True)
class Subject:
    """One kind of file that users bring.

    Attributes:
        name: Of the kind.
        original: Makes a sound one in an empty folder and returns its path.
        spoil: Spoils a copy of it in place; a file, or the files of a folder.
        calls: What then reads it, given the spoiled path and an empty folder for output.
    """

    name: str
    original: Callable[[Path], Path]
    spoil: Callable[[Path, Random], None]
    calls: Callable[[Path, Path], Sequence[Call]]


def evla(*words: object) -> Call:
    """Return a call of the command line; with `--debug` it raises what it would print."""
    return lambda: main([*map(str, words), "--debug"])


def read_with_all(calls: Sequence[Call]) -> list[str]:
    """Make every call; return the sentence of each that refused, empty for one that did not.

    Raises:
        Exception: Anything but an EvlaError, and an EvlaError that is no sentence.
    """
    told = []
    for call in calls:
        try:
            call()
        except EvlaError as error:
            sentence = str(error)
            if not 0 < len(sentence) <= LONGEST_SENTENCE:
                raise AssertionError(f"a sentence of {len(sentence)} letters") from error
            told.append(sentence)
        else:
            told.append("")
    return told


def replace_file(path: Path, random: Random) -> None:
    """Put something else where a file was: nothing, a folder, a pipe, a link, a device."""
    content = path.read_bytes()
    path.unlink()
    kind = random.integers(7)
    if kind == 1:
        path.mkdir()
    elif kind == 2:
        os.mkfifo(path)
    elif kind == 3:
        path.symlink_to(path.name)
    elif kind == 4:
        path.symlink_to("/dev/zero")
    elif kind == 5:
        path.symlink_to("/proc/self/mem")
    elif kind == 6:
        path.write_bytes(spoil_bytes(content, random)[:3])


def copied(original: Path, target: Path) -> Path:
    """Copy a file or a folder to a path that does not exist yet, and return it."""
    if original.is_dir():
        shutil.copytree(original, target, symlinks=True)
    else:
        shutil.copy(original, target)
    return target
