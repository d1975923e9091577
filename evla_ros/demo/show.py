# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several instructions one after the other, live progress, a table at the end, and a film."""

from __future__ import annotations

import os
import sys
import time
import webbrowser
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path

from evla_ros.demo.episode import EPISODE_LIMIT_S, Outcome, play
from evla_ros.demo.film import film
from evla_ros.demo.observer import Observer
from evla_ros.demo.rehearsal import Rehearsal, rehearse
from evla_ros.demo.session import Session, open_session
from evla_ros.demo.words import meaning, next_commands, table
from evla_ros.embodiment import load_embodiment
from evla_ros.policy.remote.address import ServerAddress
from evla_ros.sim.position_log import LOG_HZ
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
    steps = Steps()
    steps.say("an expert program plans the scenes and what to ask for")
    rehearsals = _rehearse(world, families or FAMILIES[world], seed)
    if server or checkpoint:
        print(f"policy: {server.url if server else checkpoint}")
    else:
        print("no policy: the node follows the way that the scripted expert went")
    with open_session(world, embodiment, checkpoint, server, runtime) as session:
        steps.say("the simulated robot starts, a ROS 2 node as a real one's driver is")
        with session.robot() as robot, session.console() if console else nullcontext("") as address:
            if address:
                print(f"console: {address} (look, stop, drive; until the demonstration ends)")
                open_in_browser(address)
            steps.say("the policy node starts")
            # A checkpoint answers every instruction; a rehearsed path is a policy of its own.
            parts = [rehearsals] if server or checkpoint else [[one] for one in rehearsals]
            outcomes = [o for part in parts for o in _play_part(session, robot.check, part)]
        print(f"\n{table(outcomes)}\n\n{meaning(outcomes, embodiment.goal_rate_hz)}", flush=True)
        steps.say("drawing the film of it")
        rehearsed = not (server or checkpoint)
        count = film(video, world, session.positions, outcomes, _say, rehearsed=rehearsed)
    _say("")
    print(f"film: {video} ({count / LOG_HZ:.0f} s)\n{next_commands(world, console=console)}")
    return all(outcome.success for outcome in outcomes)


class Steps:
    """Says what happens now and how long it took to get here: something moves from the start."""

    def __init__(self) -> None:
        self._begin_s = time.monotonic()

    def say(self, sentence: str) -> None:
        """Print the next step."""
        print(f"[{time.monotonic() - self._begin_s:5.1f} s] {sentence}", flush=True)


def open_in_browser(address: str) -> None:
    """Open a page where there is a screen to show it on, and a person at it."""
    if sys.stdout.isatty() and (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        webbrowser.open(address)


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
) -> list[Outcome]:
    """Play episodes one after the other with one policy node."""
    with session.policy(rehearsals[0]) as policy:

        def check() -> None:
            policy.check()
            check_robot()

        with session.observer(check) as observer:
            limit_s = max(EPISODE_LIMIT_S, make_suite(session.world).limit_s)
            return [_episode(observer, one, limit_s) for one in rehearsals]


def _episode(observer: Observer, rehearsal: Rehearsal, limit_s: float) -> Outcome:
    outcome = play(observer, rehearsal.instruction, rehearsal.seed, _say, limit_s)
    _say("")
    print(f"{'solved' if outcome.success else 'NOT solved'}: {outcome.instruction}", flush=True)
    return outcome


def _say(line: str) -> None:
    if sys.stdout.isatty():
        print(f"\r{line[:WIDTH]:{WIDTH}}", end="" if line else "\r", flush=True)
