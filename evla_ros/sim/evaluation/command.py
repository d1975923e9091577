# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The options of `evla eval sim`, and what they lead to."""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
from pathlib import Path

from evla_ros.errors import EvlaError, nearest
from evla_ros.interruption import sigterm_interrupts
from evla_ros.sim.evaluation.arguments import add_arguments
from evla_ros.sim.evaluation.contestants import BASELINES, embodiment_for, make_contestant
from evla_ros.sim.evaluation.episode import EpisodeRules
from evla_ros.sim.evaluation.plan import PlannedEpisode, plan_episodes
from evla_ros.sim.evaluation.progress import Progress
from evla_ros.sim.evaluation.record import EpisodeRecord
from evla_ros.sim.evaluation.report import as_json, write_report
from evla_ros.sim.evaluation.score import scores, short_name
from evla_ros.sim.evaluation.table import remarks, to_table
from evla_ros.sim.evaluation.workers import Job, Setup, play_all
from evla_ros.sim.worlds import make_suite

__all__ = ["add_arguments", "run"]

MOST_LATENCY_S = 10.0


def run(arguments: argparse.Namespace) -> int:
    """Play, report and judge: 0 when the policy has a score for every task, 1 when it has not."""
    suite = make_suite(arguments.world)
    plan = plan_episodes(suite.grammar, arguments.tasks, arguments.episodes, arguments.seed)
    baselines = _baselines(arguments.baselines, arguments.policy)
    folder = _new_folder(arguments)
    setup = _setup(arguments, folder)
    jobs = _jobs(arguments.policy, baselines, plan, arguments)
    records: list[EpisodeRecord] = []
    interrupted = False
    progress = Progress(len(jobs), quiet=arguments.json)
    try:
        with sigterm_interrupts():
            for record in play_all(setup, jobs, arguments.workers):
                records.append(record)
                progress.show(records)
    except KeyboardInterrupt:  # it leaves a report as well
        interrupted = True
    progress.end()
    if not records:
        raise EvlaError("interrupted before the first episode was over; nothing to report")
    question = _question(arguments, baselines, interrupted=interrupted)
    _publish(folder, question, records, print_json=arguments.json)
    return 1 if interrupted or _refused(arguments.policy, records) else 0


def _publish(
    folder: Path, question: dict[str, object], records: list[EpisodeRecord], *, print_json: bool
) -> None:
    from evla_ros.sim.evaluation.plot import write_plot

    result = scores(records)
    report = as_json(question, records)
    write_report(folder / "report.json", report)
    title = f"{short_name(str(question['policy']))} in {question['world']}, seed {question['seed']}"
    write_plot(folder / "success.png", result, title)
    if print_json:
        print(json.dumps(report, indent=1))
        return
    print(to_table(result))
    for sentence in remarks(result, records):
        print(f"note: {sentence}")
    print(f"report: {folder / 'report.json'}\nplot:   {folder / 'success.png'}")
    videos = [r.video for r in records if r.video]
    if videos:
        print(f"videos: {len(videos)} in {Path(videos[0]).parent}")


def _refused(policy: str, records: list[EpisodeRecord]) -> bool:
    """Whether a task of the policy has no scored episode; says so."""
    empty = [s.task for s in scores(records) if s.policy == policy and s.rate is None]
    if empty:
        print(f"error: no score for {', '.join(empty)}: see the notes", file=sys.stderr)
    return bool(empty)


def _baselines(text: str, policy: str) -> list[str]:
    names = [] if text == "none" else [name.strip() for name in text.split(",")]
    for name in names:
        if name not in BASELINES:
            raise EvlaError(f"no baseline {name!r}; {nearest(name, [*BASELINES, 'none'])}")
    return [name for name in names if name != policy]


def _jobs(
    policy: str, baselines: list[str], plan: list[PlannedEpisode], arguments: argparse.Namespace
) -> list[Job]:
    last = arguments.seed + min(arguments.episodes, arguments.baseline_episodes)
    jobs: list[Job] = [(policy, planned) for planned in plan]
    for name in baselines:
        jobs += [(name, planned) for planned in plan if planned.seed < last]
    return jobs


def _setup(arguments: argparse.Namespace, folder: Path) -> Setup:
    for name, least in (("workers", 1), ("threads", 0)):
        if getattr(arguments, name) < least:
            raise EvlaError(f"--{name} {getattr(arguments, name)}: at least {least}")
    if not 0.0 <= arguments.add_latency <= MOST_LATENCY_S:
        raise EvlaError(f"--add-latency {arguments.add_latency:g}: 0 to {MOST_LATENCY_S:g} seconds")
    embodiment = embodiment_for(arguments.policy, arguments.world)
    if arguments.workers > 1 or arguments.ros:  # better found here than in every worker
        make_contestant(arguments.policy, embodiment)
    if arguments.ros:
        _check_ros(arguments)
    cores = len(os.sched_getaffinity(0))
    usual = 0 if arguments.ros else max(1, cores // arguments.workers)  # 0: the node's own choice
    rules = EpisodeRules(
        max_s=arguments.max_seconds,
        charge_inference=arguments.charge_inference,
        added_latency_s=arguments.add_latency,
        randomize=not arguments.plain,
    )
    videos = folder / "videos" if arguments.videos == "" else arguments.videos
    return Setup(
        world=arguments.world,
        embodiment_text=embodiment.text,
        policy=arguments.policy,
        rules=rules,
        image_size=arguments.image_size,
        videos=None if videos is None else Path(videos),
        video_quality=arguments.video_quality,
        threads=arguments.threads or usual,
        device=arguments.device,
        through_ros=arguments.ros,
        ros_speed=arguments.ros_speed,
    )


def _check_ros(arguments: argparse.Namespace) -> None:
    if not 0.05 <= arguments.ros_speed <= 10.0:
        raise EvlaError(f"--ros-speed {arguments.ros_speed:g}; it takes 0.05 to 10")
    if arguments.policy in ("expert", "random"):
        raise EvlaError(
            f"the baseline {arguments.policy!r} looks into the simulator, which no ROS node can; "
            "use --ros with a checkpoint, or with hold"
        )
    if arguments.charge_inference or arguments.add_latency:
        raise EvlaError(
            "--ros plays in real time, late as it is; leave out --charge-inference and "
            "--add-latency, or --ros"
        )
    if arguments.videos is not None:
        raise EvlaError("--videos films this process's simulator; leave out --ros or --videos")
    if any(importlib.util.find_spec(name) is None for name in ("rclpy", "evla_ros.msg")):
        raise EvlaError("--ros needs ROS 2: run `make build` and `. ./env.sh`, or leave it out")


def _new_folder(arguments: argparse.Namespace) -> Path:
    if arguments.out is not None:
        folder = Path(arguments.out)
        if folder.exists():
            raise EvlaError(f"{folder} exists; name another folder with --out")
        return folder
    stem = f"{arguments.world}-{Path(arguments.policy).name}-seed{arguments.seed}"
    base = Path("outputs") / "eval"
    names = [stem, *(f"{stem}-{i}" for i in range(2, 10_000))]
    return next(base / name for name in names if not (base / name).exists())


def _question(
    arguments: argparse.Namespace, baselines: list[str], *, interrupted: bool
) -> dict[str, object]:
    keys = (
        "world", "policy", "tasks", "episodes", "seed", "max_seconds", "charge_inference",
        "add_latency", "plain", "image_size", "workers", "ros", "ros_speed", "device",
    )  # fmt: skip
    question: dict[str, object] = {key: getattr(arguments, key) for key in keys}
    return {**question, "baselines": baselines, "interrupted": interrupted}
