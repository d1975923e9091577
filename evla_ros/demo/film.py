# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The film of a demonstration, drawn afterwards: drawing it meanwhile would slow the robot down."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from evla_ros.data.view.mp4 import Image, write_mp4
from evla_ros.demo.episode import Outcome
from evla_ros.sim.film_frame import GREEN, GREY, ORANGE, Caption, film_frame
from evla_ros.sim.position_log import LOG_HZ, read_positions
from evla_ros.sim.world import World
from evla_ros.sim.worlds import make_world

BEFORE_S, AFTER_S, END_S = 0.3, 0.6, 1.2
ANSWERED = "the policy sees the small pictures, and is told these words"
REHEARSED = "no policy: the robot follows the way of a scripted expert"


def film(
    path: Path,
    world: str,
    positions: Path,
    outcomes: Sequence[Outcome],
    say: Callable[[str], None],
    quality: str = "fast",
    *,
    rehearsed: bool = False,
) -> int:
    """Write the film; returns how many pictures it has.

    Args:
        path: the MP4.
        world: name of the simulated world.
        positions: what the simulated robot has written.
        outcomes: the episodes, in their order.
        say: is told how far the drawing is.
        quality: of the drawing, `fast` or `pretty`.
        rehearsed: whether the robot followed the expert's path, without a policy.
    """
    drawn = make_world(world, image_size=224)
    about = REHEARSED if rehearsed else ANSWERED

    def frames() -> Iterator[Image]:
        for number, outcome in enumerate(outcomes, 1):
            say(f"  drawing the film: {number} of {len(outcomes)}")
            yield from _episode(drawn, positions, outcome, quality, about)

    try:
        return write_mp4(path, frames(), LOG_HZ)
    finally:
        drawn.close()


def _episode(
    world: World, log: Path, outcome: Outcome, quality: str, about: str
) -> Iterator[Image]:
    world.reset(outcome.seed, outcome.instruction)
    begin_s, end_s = outcome.begin_s, outcome.begin_s + outcome.seconds
    times, rows = read_positions(log, outcome.episode)
    chosen = [
        (time_s, row)
        for time_s, row in zip(times, rows, strict=True)
        if begin_s - BEFORE_S <= time_s <= end_s + AFTER_S
    ]
    for index, (time_s, row) in enumerate(chosen):
        world.show(row)
        last = index == len(chosen) - 1
        passed_s = min(max(0.0, time_s - begin_s), outcome.seconds)
        caption = _caption(outcome, passed_s, about, over=time_s >= end_s or last)
        frame = film_frame(world, caption, quality)
        for _ in range(round(END_S * LOG_HZ) if last else 1):
            yield frame


def _caption(outcome: Outcome, passed_s: float, about: str, *, over: bool) -> Caption:
    title, right = f"\u201c{outcome.instruction}\u201d", f"{passed_s:.1f} s"
    if not over:
        return Caption(title, right, about, GREY)
    if outcome.success:
        return Caption(title, right, f"solved after {outcome.seconds:.1f} s", GREEN)
    return Caption(title, right, f"not solved{': ' + outcome.note if outcome.note else ''}", ORANGE)
