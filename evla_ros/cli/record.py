# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla record`: demonstrations into bags, from a robot's graph or unattended in simulation."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from evla_ros.sim.demonstrations import DemonstrationPlan, LockstepRecorder

EPILOG = """examples:
  evla record --embodiment my_robot.yaml --out recordings     the recorder node, until Ctrl-C
  evla record --world tabletop_arm --episodes 200             scripted expert, no ROS, all cores
  evla record --world tabletop_arm --episodes 20 --task lift --seed 1000 --out lifts
  evla record --world tabletop_arm --episodes 5 --ros         the same over topics and services

With --world every seed is one bag, marked success or failure by the simulator; the same command
resumes. Without it the recorder node runs: start, keep and discard by its services, for example
  ros2 service call /recorder/start std_srvs/srv/Trigger"""


class Recorded(NamedTuple):
    """One finished seed."""

    seed: int
    outcome: str
    seconds: float
    megabytes: float


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    add = parser.add_argument
    add("--out", type=Path, default=Path("recordings"), help="folder of bags (default: recordings)")
    add("--world", help="simulated world; without it the recorder node runs")
    add("--episodes", type=int, default=10, help="with --world: how many (default: 10)")
    add("--seed", type=int, default=0, help="with --world: of the first episode (default: 0)")
    add("--task", default="", help="with --world: family or instruction (default: drawn by seed)")
    add("--noise", type=float, default=0.0, help="with --world: on the expert's steps (0 to 1)")
    add("--image-size", type=int, default=224, help="with --world: side in pixels (default: 224)")
    add("--jobs", type=int, default=os.cpu_count() or 1, help="with --world: processes")
    add("--ros", action="store_true", help="with --world: through the real graph, in real time")
    add("--embodiment", default="tabletop_arm", help="without --world: file or name")
    add("--operator", default="", help="goes into every bag")


def run(arguments: argparse.Namespace) -> int:
    """Record; 0 when every episode was recorded."""
    if arguments.world is None:
        return _run_node(arguments)
    return _run_graph(arguments) if arguments.ros else _run_world(arguments)


def _run_node(arguments: argparse.Namespace) -> int:
    from evla_ros.embodiment import load_embodiment
    from evla_ros.errors import EvlaError

    try:
        from evla_ros.ros.recorder_main import main
    except ImportError as error:
        raise EvlaError(
            f"the recorder node needs ROS 2 and the built interfaces ({error}); run `make build` "
            "and `. ./env.sh`, or record in simulation with --world"
        ) from error
    load_embodiment(arguments.embodiment)  # else the node would wait unconfigured for ever
    values = {"embodiment": arguments.embodiment, "output": str(arguments.out)}
    words = ["--ros-args"]
    for name, value in {**values, "operator": arguments.operator}.items():
        words += ["-p", f"{name}:={value!r}"]
    sys.argv = [sys.argv[0], *words]
    return main()


def _run_graph(arguments: argparse.Namespace) -> int:
    from evla_ros.errors import EvlaError

    try:
        from evla_ros.ros.expert_sim import ExpertRecording
    except ImportError as error:
        raise EvlaError(
            f"--ros needs ROS 2 and the built interfaces ({error}); run `make build` and "
            "`. ./env.sh`"
        ) from error
    sim = {"world": arguments.world, "image_size": arguments.image_size}
    operator = arguments.operator or "scripted expert"
    # What came before a reset is another scene: none of it belongs to the episode.
    recorder = {"output": str(arguments.out), "operator": operator, "preroll_s": 0.0}
    recording = ExpertRecording(sim, recorder, arguments.noise, limit_s=20.0)
    try:
        for number in range(arguments.episodes):
            one = recording.record(arguments.seed + number, arguments.task)
            line = f"[{number + 1}/{arguments.episodes}] seed {one.seed} {one.message}"
            print(line, file=sys.stderr, flush=True)
    finally:
        recording.close()
    print(f"recorded {arguments.episodes} episodes in {arguments.out}")
    return 0


def _run_world(arguments: argparse.Namespace) -> int:
    from evla_ros.errors import EvlaError
    from evla_ros.sim.demonstrations import DemonstrationPlan, is_recorded
    from evla_ros.sim.worlds import make_suite

    if arguments.episodes < 1:
        raise EvlaError(f"--episodes {arguments.episodes}: record at least one")
    make_suite(arguments.world)
    operator = arguments.operator or "scripted expert"
    plan = DemonstrationPlan(arguments.out, arguments.task, arguments.noise, operator=operator)
    seeds = range(arguments.seed, arguments.seed + arguments.episodes)
    todo = [seed for seed in seeds if not is_recorded(arguments.out, seed)]
    if len(todo) < len(seeds):
        print(f"{len(seeds) - len(todo)} of {len(seeds)} episodes were recorded already")
    started = time.monotonic()
    done: list[Recorded] = []
    for one in _record(arguments, plan, todo):
        done.append(one)
        rate = len(done) / max(time.monotonic() - started, 1e-6)
        left = (len(todo) - len(done)) / rate
        line = f"[{len(done)}/{len(todo)}] seed {one.seed} {one.outcome} {one.seconds:.1f} s"
        print(f"{line}, {rate:.2f} episodes/s, {left:.0f} s left", file=sys.stderr, flush=True)
    good = sum(one.outcome == "success" for one in done)
    print(f"recorded {len(done)} episodes in {arguments.out}: {good} successes")
    return 0


def _record(
    arguments: argparse.Namespace, plan: DemonstrationPlan, seeds: list[int]
) -> Iterator[Recorded]:
    if arguments.jobs <= 1 or len(seeds) <= 1:
        recorder = _make(arguments.world, plan, arguments.image_size)
        for seed in seeds:
            yield _one(recorder, seed)
        return
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    first = (arguments.world, plan, arguments.image_size)
    with context.Pool(min(arguments.jobs, len(seeds)), _start_worker, first) as pool:
        yield from pool.imap_unordered(_in_worker, seeds)


def _make(world: str, plan: DemonstrationPlan, image_size: int) -> LockstepRecorder:
    from evla_ros.sim.demonstrations import LockstepRecorder
    from evla_ros.sim.worlds import make_world

    return LockstepRecorder(make_world(world, image_size=image_size), plan)


def _one(recorder: LockstepRecorder, seed: int) -> Recorded:
    report = recorder.record(seed)
    return Recorded(seed, report.outcome, report.duration_s, report.megabytes)


_worker: list[LockstepRecorder] = []  # one world per process


def _start_worker(world: str, plan: DemonstrationPlan, image_size: int) -> None:
    import signal

    from evla_ros.worker_process import end_with_parent

    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker.append(_make(world, plan, image_size))


def _in_worker(seed: int) -> Recorded:
    return _one(_worker[0], seed)
