# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Choose the runtime that answers fastest here, by asking each; knows no library."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

BUDGET_S = 0.8
FEWEST_ROUNDS, MOST_ROUNDS = 2, 20


@dataclass(frozen=True)
class Choice:
    """The fastest of several, and the least milliseconds of each."""

    name: str
    milliseconds: dict[str, float]

    def text(self) -> str:
        """Return the choice as a sentence for the log."""
        others = [f"{n} {ms:.1f} ms" for n, ms in self.milliseconds.items() if n != self.name]
        measured = f"{self.name} {self.milliseconds[self.name]:.1f} ms"
        return f"the fastest runtime here: {measured} ({', '.join(others)})"


def fastest(
    candidates: Mapping[str, Callable[[], object]],
    now_s: Callable[[], float],
    budget_s: float = BUDGET_S,
) -> Choice:
    """Ask the candidates in turn, so that whatever else this computer does weighs on all alike.

    Args:
        candidates: at least one; each computes one answer and is warm already.
        now_s: a clock.
        budget_s: no new round begins after it, but there are two.

    Returns:
        The one with the least best time; of equals the first.
    """
    best = dict.fromkeys(candidates, float("inf"))
    begin = now_s()
    for number in range(MOST_ROUNDS):
        if number >= FEWEST_ROUNDS and now_s() - begin > budget_s:
            break
        for name, ask in candidates.items():
            start = now_s()
            ask()
            best[name] = min(best[name], 1e3 * (now_s() - start))
    return Choice(min(best, key=lambda name: best[name]), best)
