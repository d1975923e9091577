# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several instructions one after the other, live progress, a table at the end, and a video."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from evla_ros.demo.audience import Audience, Rgb
from evla_ros.demo.rehearsal import Rehearsal, rehearse
from evla_ros.demo.scene import Outcome, play
from evla_ros.demo.stage import Stage, set_stage
from evla_ros.embodiment import load_embodiment
from evla_ros.sim.evaluation.video import write_mp4
from evla_ros.sim.worlds import make_world

FAMILIES = {
    "tabletop_arm": ("reach", "lift", "push", "put_in_bowl", "open"),
    "humanoid_upper_body": ("lift_both", "lift_tray"),
}
WIDTH = 78


def show(world: str, families: Sequence[str], seed: int, checkpoint: str, video: Path) -> bool:
    """Play an episode per family; returns whether every one was solved.

    checkpoint: folder of the policy; empty lets the node follow the expert's rehearsals.
    """
    embodiment = load_embodiment(world)
    scenes = _rehearse(world, families or FAMILIES[world], seed)
    frames: list[Rgb] = []
    if checkpoint:
        print(f"policy: {checkpoint}")
    else:
        print("No checkpoint: the policy node follows the path of the scripted expert's rehearsal.")
    with set_stage(world, embodiment, checkpoint) as stage, stage.robot() as robot:
        # A checkpoint answers every instruction; a rehearsed path is a policy of its own.
        shows = [scenes] if checkpoint else [[scene] for scene in scenes]
        outcomes = [o for part in shows for o in _play_part(stage, robot.check, part, frames)]
    print(table(outcomes))
    write_mp4(video, frames, embodiment.rate_hz)
    print(f"video: {video} ({len(frames)} frames)")
    return all(outcome.success for outcome in outcomes)


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
    stage = make_world(world)
    try:
        return [rehearse(stage, family, seed + i) for i, family in enumerate(families)]
    finally:
        stage.close()


def _play_part(
    stage: Stage, check_robot: Callable[[], None], scenes: Sequence[Rehearsal], frames: list[Rgb]
) -> list[Outcome]:
    """Play scenes one after the other with one policy node."""
    with stage.policy(scenes[0]) as policy:

        def check() -> None:
            policy.check()
            check_robot()

        with stage.audience(check) as audience:
            return [_episode(audience, scene, frames) for scene in scenes]


def _episode(audience: Audience, scene: Rehearsal, frames: list[Rgb]) -> Outcome:
    audience.frames.clear()
    outcome = play(audience, scene.instruction, scene.seed, _say)
    _say("")
    frames.extend(audience.pictures())
    print(f"{'solved' if outcome.success else 'NOT solved'}: {outcome.instruction}", flush=True)
    return outcome


def _say(line: str) -> None:
    if sys.stdout.isatty():
        print(f"\r{line[:WIDTH]:{WIDTH}}", end="" if line else "\r", flush=True)
