# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several instructions one after the other, live progress, a table at the end, and a video."""

from __future__ import annotations

import math
import os
import sys
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

from evla_ros.data.view.mp4 import write_mp4
from evla_ros.demo.episode import EPISODE_LIMIT_S, Outcome, play
from evla_ros.demo.observer import Observer, Rgb
from evla_ros.demo.rehearsal import Rehearsal, rehearse
from evla_ros.demo.session import Session, open_session
from evla_ros.embodiment import load_embodiment
from evla_ros.policy.remote.address import ServerAddress
from evla_ros.sim.worlds import make_suite, make_world

FAMILIES = {
    "tabletop_arm": ("reach", "lift", "push", "put_in_bowl", "open"),
    "humanoid_upper_body": ("lift_both", "lift_tray"),
    "mobile_manipulator": ("fetch", "bin", "open"),
}
WIDTH = 78


def show(
    world: str,
    families: Sequence[str],
    seed: int,
    checkpoint: str,
    video: Path,
    server: ServerAddress | None = None,
    *,
    console: bool = False,
    runtime: str = "auto",
) -> bool:
    """Play an episode per task family through the real nodes.

    Args:
        world: name of the simulated world, and of its robot.
        families: what to play; those of `FAMILIES` when empty.
        seed: seed of the first episode; each further one takes the next.
        checkpoint: folder of the policy; empty lets the node follow the expert's rehearsals.
        video: the MP4 to write.
        server: where the policy is instead.
        console: serve the operator's page meanwhile.
        runtime: what computes the network.

    Returns:
        Whether every episode was solved.
    """
    embodiment = load_embodiment(world)
    rehearsals = _rehearse(world, families or FAMILIES[world], seed)
    frames: list[Rgb] = []
    if server or checkpoint:
        print(f"policy: {server.url if server else checkpoint}")
    else:
        print("No checkpoint: the policy node follows the path of the scripted expert's rehearsal.")
    with (
        open_session(world, embodiment, checkpoint, server, runtime) as session,
        session.robot() as robot,
        session.console() if console else nullcontext("") as address,
    ):
        if address:
            print(
                f"console: {address} (look, stop, drive; until the demonstration ends)", flush=True
            )
            open_in_browser(address)
        # A checkpoint answers every instruction; a rehearsed path is a policy of its own.
        parts = [rehearsals] if server or checkpoint else [[one] for one in rehearsals]
        outcomes = [o for part in parts for o in _play_part(session, robot.check, part, frames)]
    print(table(outcomes))
    write_mp4(video, frames, embodiment.rate_hz)
    print(f"video: {video} ({len(frames)} frames)")
    return all(outcome.success for outcome in outcomes)


def open_in_browser(address: str) -> None:
    """Open a page where there is a screen to show it on, and a person at it."""
    if sys.stdout.isatty() and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(address)


def table(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as text."""
    head = f"{'instruction':40} {'solved':>6} {'time':>7} {'goals':>9} {'jitter p99':>11} "
    lines = [head + f"{'inference p50':>14} {'clipped':>8}"]
    lines += [_row(outcome) for outcome in outcomes]
    solved = sum(outcome.success for outcome in outcomes)
    return "\n".join([*lines, f"{solved} of {len(outcomes)} solved"])


def _row(o: Outcome) -> str:
    return (
        f"{o.instruction:40} {'yes' if o.success else 'NO':>6} {o.seconds:5.1f} s "
        f"{_shown(o.goal_rate_hz, 6)} Hz {_shown(o.jitter_p99_ms, 8)} ms "
        f"{o.inference_p50_ms:11.1f} ms {o.clipped_goals:8d}{'  ' + o.note if o.note else ''}"
    )


def _shown(value: float, width: int) -> str:
    return f"{'-':>{width}}" if math.isnan(value) else f"{value:{width}.1f}"


def _rehearse(world: str, families: Sequence[str], seed: int) -> list[Rehearsal]:
    simulated = make_world(world)
    try:
        return [rehearse(simulated, family, seed + i) for i, family in enumerate(families)]
    finally:
        simulated.close()


def _play_part(
    session: Session,
    check_robot: Callable[[], None],
    rehearsals: Sequence[Rehearsal],
    frames: list[Rgb],
) -> list[Outcome]:
    """Play episodes one after the other with one policy node; their frames are appended."""
    with session.policy(rehearsals[0]) as policy:

        def check() -> None:
            policy.check()
            check_robot()

        with session.observer(check) as observer:
            limit_s = max(EPISODE_LIMIT_S, make_suite(session.world).limit_s)
            return [_episode(observer, one, frames, limit_s) for one in rehearsals]


def _episode(
    observer: Observer, rehearsal: Rehearsal, frames: list[Rgb], limit_s: float
) -> Outcome:
    observer.frames.clear()
    outcome = play(observer, rehearsal.instruction, rehearsal.seed, _say, limit_s)
    _say("")
    frames.extend(observer.pictures())
    print(f"{'solved' if outcome.success else 'NOT solved'}: {outcome.instruction}", flush=True)
    return outcome


def _say(line: str) -> None:
    if sys.stdout.isatty():
        print(f"\r{line[:WIDTH]:{WIDTH}}", end="" if line else "\r", flush=True)
