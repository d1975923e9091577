# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Apply the `key.sub=value` arguments of the command line to the data of a configuration file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evla_ros.errors import shorten
from evla_ros.reading.text_files import TextError
from evla_ros.reading.yaml_files import parse_yaml
from evla_ros.settings_errors import Keys
from evla_ros.training.errors import TrainingError


def apply_changes(data: dict[str, Any], changes: Sequence[str]) -> dict[Keys, str]:
    """Apply changes to `data` in place.

    Args:
        data: The content of a configuration file.
        changes: `key.sub=value`, the value being YAML.

    Returns:
        For each key that was changed, the argument as typed.

    Raises:
        TrainingError: An argument has no `=`, its value is not YAML, or its key leads through
            something that is not a section.
    """
    return {_apply(data, change): change for change in changes}


def _apply(data: dict[str, Any], change: str) -> Keys:
    key, found, value = change.partition("=")
    if not found:
        raise TrainingError(f"cannot read {shorten(repr(change))}; write key.sub=value")
    *folders, leaf = key.split(".")
    target: Any = data
    for folder in folders:
        if isinstance(target, list):
            if not _is_index(folder, len(target)):
                raise TrainingError(
                    f"{shorten(repr(change))}: no entry {shorten(repr(folder))}; there are "
                    f"{len(target)}"
                )
            target = target[int(folder)]
        elif isinstance(target, dict):
            target = target.setdefault(folder, {})
    if not isinstance(target, dict):
        group = shorten(repr(".".join(folders)))
        raise TrainingError(f"{shorten(repr(change))}: {group} is no group of settings")
    target[leaf] = _value(value, change)
    return (*folders, leaf)


def _is_index(word: str, count: int) -> bool:
    """Return whether a word is the number of one of so many entries."""
    return word.isascii() and word.isdigit() and len(word) < 10 and int(word) < count


def _value(text: str, change: str) -> Any:
    """Return the value as YAML reads it; an empty value is an empty text."""
    try:
        return parse_yaml(text, change) if text else ""
    except TextError as error:
        shown = shorten(repr(change))
        raise TrainingError(f"{shown}: not a YAML value: {error.problem}") from error
