# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Facts of LIBERO's suites, and of how others score them.

Source: examples/libero/main.py of openpi (Physical Intelligence), which most published rows follow:
steps of an episode, wait at its start, seed, size of the pictures, actions played before the next
look. A demonstration of training is 193, 254, 270, 505 and 373 steps long at most.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from evla_ros.errors import nearest
from evla_ros.sim.errors import SimError

MOST_STEPS: Mapping[str, int] = MappingProxyType(
    {
        "libero_spatial": 220,
        "libero_object": 280,
        "libero_goal": 300,
        "libero_10": 520,
        "libero_90": 400,
    }
)
PUBLISHED = ("libero_spatial", "libero_object", "libero_goal", "libero_10")  # rows have these four
STARTS = 50  # start states that each task brings, always the same ones
RATE_HZ = 20
WAIT_STEPS = 10  # what was put down falls first
PICTURE_PX, SENT_PX = 256, 224  # as rendered, and as a policy is sent them
SEED = 7
EXECUTE = 5


def suites_of(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the suites, `spatial` for `libero_spatial` and so on; none: the four of papers.

    Raises:
        SimError: there is no such suite.
    """
    names = []
    for word in words:
        name = word if word.startswith("libero_") else f"libero_{word}"
        if name not in MOST_STEPS:
            raise SimError(f"no suite {word!r} in LIBERO; {nearest(name, list(MOST_STEPS))}")
        names.append(name)
    return tuple(dict.fromkeys(names)) or PUBLISHED
