# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One language task: its family, what it is about, and the words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Task:
    """One thing to do.

    Attributes:
        family: such as `lift`.
        slots: what it is about, in the family's order, such as ("red",).
        instruction: the task in words.
    """

    family: str
    slots: tuple[str, ...]
    instruction: str

    @property
    def key(self) -> tuple[str, ...]:
        """The task without its wording: (family, *slots)."""
        return (self.family, *self.slots)
