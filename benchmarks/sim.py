# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The simulator's speed and stamina: physics steps, frames, episodes, a soak with memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Annotated

import mujoco
import numpy as np

from benchmarks.soak import soak
from evla_ros.bench.report import Printed, Row
from evla_ros.embodiment import load_embodiment
from evla_ros.options import Option
from evla_ros.sim.description import describe
from evla_ros.sim.evaluation.episode import EpisodeRules
from evla_ros.sim.evaluation.plan import PlannedEpisode
from evla_ros.sim.evaluation.setup import EpisodeJob, Setup
from evla_ros.sim.evaluation.workers import play_all
from evla_ros.sim.experts.rollout import run_expert
from evla_ros.sim.experts.style import Style
from evla_ros.sim.world import World
from evla_ros.sim.worlds import SUITES, make_suite, make_world

_SIZES = (96, 128, 224)
_FRAMES_GOAL_PER_S = 300.0
_STEPS_PER_RESET = 100
_PRETTY = (640, 480)
_PER_CORE = "1/s per core"
_worlds: dict[str, World] = {}


@dataclass(frozen=True, kw_only=True)
class Options(Printed):
    """The worlds, the time per row, and how long to soak."""

    world: Annotated[tuple[str, ...], Option("to measure", "WORLD", unset="all")] = ()
    seconds: Annotated[float, Option("per row", "S", above=0)] = 2.0
    workers: Annotated[tuple[int, ...], Option("processes", "W", least=1)] = (1, 2)
    resets: Annotated[int, Option("of the soak; 0: none", "N", least=0)] = 1000


def rows(options: Options) -> Iterable[Row]:
    """Measure and yield the rows."""
    for name in options.world or sorted(SUITES):
        world = make_world(name)
        world.reset(0)
        yield from _physics(world, options.seconds)
        yield from _frames(world, options.seconds)
        if options.resets:
            yield from _soak(world, options.resets)
        world.close()
        for workers in options.workers:
            yield _episodes(name, workers, options.seconds)
            yield _evaluation(name, workers, options.seconds)


def _physics(world: World, seconds: float) -> Iterable[Row]:
    context = {"world": world.description.name, "threads": 1}
    tick_s = 1.0 / world.embodiment.rate_hz
    per_tick = round(tick_s / world.model.opt.timestep)
    hold = np.tile([0, 0, 0, 0, 0, 0, 1.0], len(world.arms))

    def tick() -> None:
        world.apply(hold)
        world.tick()

    ticks = _rate(tick, seconds)
    bare = _rate(lambda: mujoco.mj_step(world.model, world.data, per_tick), seconds) * per_tick
    yield Row("sim.physics_steps", ticks * per_tick, _PER_CORE, floor=bare, context=context)
    yield Row("sim.realtime_factor.physics", ticks * tick_s, "x", goal=1.0, context=context)
    seeds = iter(range(10**9))
    yield Row(
        "sim.resets", _rate(lambda: world.reset(next(seeds)), seconds), _PER_CORE, context=context
    )


def _frames(world: World, seconds: float) -> Iterable[Row]:
    world.reset(0)
    for size in _SIZES:
        world.image_size = size
        rate = _rate(world.images, seconds) * len(world.description.cameras)
        context = {"world": world.description.name, "size": size, "quality": "fast"}
        yield Row(
            "sim.frames",
            rate,
            _PER_CORE,
            goal=_FRAMES_GOAL_PER_S if size == 128 else None,
            context=context,
        )
    width, height = _PRETTY
    camera = world.description.video_camera
    rate = _rate(lambda: world.render(camera, width, height, "pretty"), seconds)
    context = {"world": world.description.name, "size": f"{width}x{height}", "quality": "pretty"}
    yield Row("sim.frames", rate, _PER_CORE, context=context)


def _soak(world: World, resets: int) -> Iterable[Row]:
    begin = time.perf_counter()
    report = soak(world, resets, _STEPS_PER_RESET)
    curve = [round(m, 1) for m in report.memory_mib]
    context = {"world": world.description.name, "resets": report.resets, "steps": report.steps}
    yield Row("sim.soak.not_finite", report.not_finite, "states", goal=0.0, context=context)
    yield Row("sim.soak.refused", report.refused, "commands", context=context)
    yield Row(
        "sim.soak.memory_growth",
        report.growth_mib,
        "MiB",
        goal=0.0,
        context={**context, "memory_mib": curve},
    )
    yield Row("sim.soak.duration", time.perf_counter() - begin, "s", context=context)


def _episodes(name: str, workers: int, seconds: float) -> Row:
    """Expert episodes without images, every family in turn, spread over processes."""
    per_worker = max(4, round(seconds * 4))
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        list(pool.map(_play, [(name, -1 - i) for i in range(4 * workers)]))
        begin = time.perf_counter()
        done = list(pool.map(_play, [(name, i) for i in range(per_worker * workers)]))
        duration = time.perf_counter() - begin
    context = {"world": name, "workers": workers, "success": round(float(np.mean(done)), 3)}
    return Row("sim.expert_episodes", len(done) / duration, "1/s", context=context)


def _evaluation(name: str, workers: int, seconds: float) -> Row:
    """Episodes of `evla eval sim` with the scripted expert, which needs no frames."""
    jobs = [
        EpisodeJob("expert", episode)
        for episode in _plan(name, max(6, round(seconds * 3)) * workers)
    ]
    setup = Setup(name, load_embodiment(describe(name).embodiment).text, "", EpisodeRules(), 96)
    records = play_all(setup, jobs, workers)
    next(records)
    begin = time.perf_counter()
    count = sum(1 for _ in records)
    rate = count / (time.perf_counter() - begin)
    context = {"world": name, "workers": workers, "policy": "expert"}
    return Row("sim.eval_episodes", rate, "1/s", context=context)


def _plan(name: str, count: int) -> list[PlannedEpisode]:
    families = sorted(make_suite(name).grammar.families)
    names = [families[index % len(families)] for index in range(count)]
    return [PlannedEpisode(family, family, seed) for seed, family in enumerate(names)]


def _play(job: tuple[str, int]) -> bool:
    name, index = job
    if name not in _worlds:
        _worlds[name] = make_world(name)
    world = _worlds[name]
    families = sorted(world.suite.grammar.families)
    seed = abs(index)
    task = world.reset(seed, families[index % len(families)])
    rng = np.random.default_rng(seed)
    return list(run_expert(world, task, Style.sample(rng), rng))[-1].success


def _rate(call: Callable[[], object], seconds: float) -> float:
    """Return calls per second of processor time: a busy machine does not change the figure."""
    for _ in range(3):
        call()
    count, begin, busy = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - begin < seconds:
        call()
        count += 1
    return count / (time.process_time() - busy)
