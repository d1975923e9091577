# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A grammar of instructions: families with slots, several wordings each, held-out combinations."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from evla_ros.errors import nearest
from evla_ros.sim.errors import SimError
from evla_ros.sim.tasks.task import Task


@dataclass(frozen=True)
class Family:
    """A kind of task.

    Two slots with equal domains never take the same value (nothing is stacked on itself).

    Attributes:
        name: such as `lift`.
        wordings: format strings over the names of the slots; the first one is canonical.
        slots: name of each slot -> the values that it can take.
    """

    name: str
    wordings: tuple[str, ...]
    slots: Mapping[str, tuple[str, ...]]

    def tasks(self) -> list[Task]:
        """Return every task of the family in its canonical wording."""
        combinations = product(*self.slots.values())
        return [self.task(c) for c in combinations if len(set(c)) == len(c)]

    def task(self, values: tuple[str, ...], wording: int = 0) -> Task:
        """Return the task with slot values, in one of the wordings."""
        template = self.wordings[wording % len(self.wordings)]
        return Task(
            self.name, values, template.format(**dict(zip(self.slots, values, strict=True)))
        )


class Grammar:
    """All instructions of a world."""

    def __init__(self, families: Sequence[Family], held_out: Collection[tuple[str, ...]]) -> None:
        """Take the families, and the keys (family, *slots) that no training data may show."""
        self.families = {family.name: family for family in families}
        self.tasks = tuple(task for family in families for task in family.tasks())
        self.held_out = frozenset(held_out)
        self._by_instruction = {
            family.task(task.slots, wording).instruction: family.task(task.slots, wording)
            for family in families
            for task in family.tasks()
            for wording in range(len(family.wordings))
        }

    @property
    def training_tasks(self) -> tuple[Task, ...]:
        """Tasks that training data may show."""
        return tuple(task for task in self.tasks if task.key not in self.held_out)

    @property
    def held_out_tasks(self) -> tuple[Task, ...]:
        """Tasks kept for the test of composition."""
        return tuple(task for task in self.tasks if task.key in self.held_out)

    def parse(self, instruction: str) -> Task:
        """Return the task of an instruction in any wording; SimError names the nearest one."""
        normalized = " ".join(instruction.lower().strip(" .!").split())
        if normalized not in self._by_instruction:
            known = self._by_instruction if " " in normalized else self.families
            raise SimError(f"no task {instruction!r} in this world; {nearest(normalized, known)}")
        return self._by_instruction[normalized]

    def choose(self, task: str | Task | None, rng: np.random.Generator) -> Task:
        """Return a task from a Task, an instruction, a family name or None (any, by the generator).

        A random choice draws the family first, so that large families do not crowd out small ones,
        and never a held-out combination.
        """
        if isinstance(task, Task):
            return task
        if task is None:
            task = str(rng.choice(sorted(self.families)))
        if task in self.families:
            known = [t for t in self.families[task].tasks() if t.key not in self.held_out]
            return known[int(rng.integers(len(known)))]
        return self.parse(task)

    def reworded(self, task: Task, rng: np.random.Generator) -> Task:
        """Return the same task in a random wording."""
        family = self.families[task.family]
        return family.task(task.slots, int(rng.integers(len(family.wordings))))
