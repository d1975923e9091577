# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The 50 tasks as facts: instruction, difficulty group, and what the simulator's numbers stand for.

Instructions and groups are those of LeRobot's environment (`lerobot/envs/metaworld_config.json`,
Apache-2.0), in lower case; the groups come from Seo et al., "Masked World Models for Visual
Control", arXiv 2206.14244. There push-v3 and push-back-v3 share a sentence, so that nobody could
tell them apart; here push-back-v3 has one of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from evla_ros.errors import nearest
from evla_ros.sim.errors import SimError

GROUPS = ("easy", "medium", "hard", "very_hard")
ALL = "mt50"


@dataclass(frozen=True)
class MetaWorldTask:
    """One of the 50 tasks.

    Attributes:
        name: as Meta-World calls it, such as `reach-v3`.
        group: its difficulty, one of `GROUPS`.
        instruction: the task in words.
        things: what the objects of Meta-World's observation are called, in its order.
        goal: what the place of the target is called.
    """

    name: str
    group: str
    instruction: str
    things: tuple[str, ...]
    goal: str


_ROWS = """
easy      | button-press-v3              | press a button                                         | button        |
easy      | button-press-topdown-v3      | press a button from the top                            | button        |
easy      | button-press-topdown-wall-v3 | bypass a wall and press a button from the top          | button        |
easy      | button-press-wall-v3         | bypass a wall and press a button                       | button        |
easy      | coffee-button-v3             | push a button on the coffee machine                    | button        |
easy      | dial-turn-v3                 | rotate a dial 180 degrees                              | dial          |
easy      | door-close-v3                | close a door with a revolving joint                    | door          |
easy      | door-lock-v3                 | lock the door by rotating the lock clockwise           | lock          |
easy      | door-open-v3                 | open a door with a revolving joint                     | door          |
easy      | door-unlock-v3               | unlock the door by rotating the lock counter-clockwise | lock          |
easy      | drawer-close-v3              | push and close a drawer                                | drawer        |
easy      | drawer-open-v3               | open a drawer                                          | drawer        |
easy      | faucet-close-v3              | rotate the faucet clockwise                            | faucet        |
easy      | faucet-open-v3               | rotate the faucet counter-clockwise                    | faucet        |
easy      | handle-press-v3              | press a handle down                                    | handle        |
easy      | handle-press-side-v3         | press a handle down sideways                           | handle        |
easy      | handle-pull-v3               | pull a handle up                                       | handle        |
easy      | handle-pull-side-v3          | pull a handle up sideways                              | handle        |
easy      | lever-pull-v3                | pull a lever down 90 degrees                           | lever         |
easy      | plate-slide-v3               | slide a plate into a cabinet                           | plate         | cabinet
easy      | plate-slide-back-v3          | get a plate from the cabinet                           | plate         |
easy      | plate-slide-back-side-v3     | get a plate from the cabinet sideways                  | plate         |
easy      | plate-slide-side-v3          | slide a plate into a cabinet sideways                  | plate         | cabinet
easy      | reach-v3                     | reach a goal position                                  | puck          |
easy      | reach-wall-v3                | bypass a wall and reach a goal                         | puck          |
easy      | window-close-v3              | push and close a window                                | window        |
easy      | window-open-v3               | push and open a window                                 | window        |
easy      | peg-unplug-side-v3           | unplug a peg sideways                                  | peg           |
medium    | basketball-v3                | dunk the basketball into the basket                    | basketball    | basket
medium    | bin-picking-v3               | grasp the puck from one bin and place it into another bin | puck       |
medium    | box-close-v3                 | grasp the cover and close the box with it              | cover         | box
medium    | coffee-pull-v3               | pull a mug from a coffee machine                       | mug           |
medium    | coffee-push-v3               | push a mug under a coffee machine                      | mug           | coffee machine
medium    | hammer-v3                    | hammer a screw on the wall                             | hammer, screw |
medium    | peg-insert-side-v3           | insert a peg sideways                                  | peg           |
medium    | push-wall-v3                 | bypass a wall and push a puck to a goal                | puck          |
medium    | soccer-v3                    | kick a soccer into the goal                            | soccer        |
medium    | sweep-v3                     | sweep a puck off the table                             | puck          |
medium    | sweep-into-v3                | sweep a puck into a hole                               | puck          | hole
hard      | assembly-v3                  | pick up a nut and place it onto a peg                  | nut           | peg
hard      | hand-insert-v3               | insert the gripper into a hole                         | puck          | hole
hard      | pick-out-of-hole-v3          | pick up a puck from a hole                             | puck          |
hard      | pick-place-v3                | pick and place a puck to a goal                        | puck          |
hard      | push-v3                      | push the puck to a goal                                | puck          |
hard      | push-back-v3                 | push the puck back to a goal                           | puck          |
very_hard | shelf-place-v3               | pick and place a puck onto a shelf                     | puck          | shelf
very_hard | disassemble-v3               | pick a nut out of a peg                                | nut           |
very_hard | stick-pull-v3                | grasp a stick and pull a box with the stick            | stick, box    |
very_hard | stick-push-v3                | grasp a stick and push a box using the stick           | stick, box    |
very_hard | pick-place-wall-v3           | pick a puck, bypass a wall and place the puck          | puck          |
"""  # noqa: E501 - one row, one task


def _read(row: str) -> MetaWorldTask:
    group, name, instruction, things, goal = (cell.strip() for cell in row.split("|"))
    nouns = tuple(noun.strip() for noun in things.split(","))
    return MetaWorldTask(name, group, instruction, nouns, goal or "goal")


TASKS: Mapping[str, MetaWorldTask] = MappingProxyType(
    {task.name: task for task in map(_read, _ROWS.strip().splitlines())}
)
THINGS = tuple(sorted({noun for task in TASKS.values() for noun in (*task.things, task.goal)}))


def tasks_of(words: Sequence[str]) -> tuple[str, ...]:
    """Return the tasks that words name: tasks (`reach-v3`, `reach`), groups, or `mt50`.

    Raises:
        SimError: a word names none; the sentence has the nearest one.
    """
    found: dict[str, None] = {}
    for word in words:
        name = word if word in TASKS else f"{word}-v3"
        if word == ALL:
            found |= dict.fromkeys(TASKS)
        elif word in GROUPS:
            found |= {task.name: None for task in TASKS.values() if task.group == word}
        elif name in TASKS:
            found[name] = None
        else:
            known = [*TASKS, *GROUPS, ALL]
            raise SimError(f"no task or group {word!r} in Meta-World; {nearest(word, known)}")
    return tuple(found)
