# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A whole evaluation in the simulator: play, score, and write the report and its plot."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evla_ros.errors import EvlaError
from evla_ros.policy.remote.address import ServerAddress
from evla_ros.sim.evaluation.episode import EpisodeRules
from evla_ros.sim.evaluation.plan import PlannedEpisode, plan_episodes
from evla_ros.sim.evaluation.playing import collect_records
from evla_ros.sim.evaluation.policies import embodiment_for, evaluated_policy
from evla_ros.sim.evaluation.record import EpisodeRecord
from evla_ros.sim.evaluation.report import as_json, new_folder, write_report
from evla_ros.sim.evaluation.score import Score, scores, short_name
from evla_ros.sim.evaluation.settings import Evaluation
from evla_ros.sim.evaluation.setup import EpisodeJob, MakePlayer, Setup
from evla_ros.sim.evaluation.workers import play_all
from evla_ros.sim.worlds import make_suite


@dataclass(frozen=True)
class Evaluated:
    """What an evaluation found.

    Attributes:
        folder: the folder of `report.json` and `success.png`.
        report: what `report.json` holds.
        records: one per episode.
        scores: one per policy and task.
        interrupted: some episodes were not played.
    """

    folder: Path
    report: dict[str, Any]
    records: list[EpisodeRecord]
    scores: list[Score]
    interrupted: bool

    def tasks_without_score(self, policy: str) -> list[str]:
        """Return the tasks of which no episode of the policy could be scored."""
        return [s.task for s in self.scores if s.policy == policy and s.rate is None]


def evaluate(
    asked: Evaluation, make_policy_player: MakePlayer | None = None, *, quiet: bool = False
) -> Evaluated:
    """Play all episodes and write the report; Ctrl-C leaves one of what was played.

    Args:
        asked: the policy, its tasks and seeds, and how they are played.
        make_policy_player: makes what plays the policy's episodes through the real nodes; with
            `ros` alone.
        quiet: no progress on stderr.

    Raises:
        EvlaError: an unknown policy, world or task; options that exclude each other; a folder that
            exists; interrupted before the first episode was over.
    """
    suite = make_suite(asked.world)
    plan = plan_episodes(suite.grammar, asked.tasks, asked.episodes, asked.seed)
    baselines = _baselines(asked)
    stem = f"{asked.world}-{Path(asked.policy).name}-seed{asked.seed}"
    folder = new_folder(asked.out, stem)
    setup = _setup(asked, folder)
    jobs = _jobs(asked, baselines, plan)
    playing = play_all(setup, jobs, asked.workers, make_policy_player)
    records, interrupted = collect_records(playing, len(jobs), quiet=quiet)
    report = as_json(_question(asked, baselines, interrupted=interrupted), records)
    return _write(Evaluated(folder, report, records, scores(records), interrupted), asked)


def _write(evaluated: Evaluated, asked: Evaluation) -> Evaluated:
    from evla_ros.sim.evaluation.plot import write_plot

    write_report(evaluated.folder / "report.json", evaluated.report)
    title = f"{short_name(asked.policy)} in {asked.world}, seed {asked.seed}"
    write_plot(evaluated.folder / "success.png", evaluated.scores, title)
    return evaluated


def _baselines(asked: Evaluation) -> list[str]:
    if "none" in asked.baselines and len(asked.baselines) > 1:
        raise EvlaError(f"--baselines {' '.join(asked.baselines)}: none stands alone")
    return [name for name in asked.baselines if name not in ("none", asked.policy)]


def _jobs(asked: Evaluation, baselines: list[str], plan: list[PlannedEpisode]) -> list[EpisodeJob]:
    last = asked.seed + min(asked.episodes, asked.baseline_episodes)
    jobs = [EpisodeJob(asked.policy, planned) for planned in plan]
    for name in baselines:
        jobs += [EpisodeJob(name, planned) for planned in plan if planned.seed < last]
    return jobs


def _setup(asked: Evaluation, folder: Path) -> Setup:
    server = _server(asked)
    embodiment = embodiment_for(asked.policy, asked.world)
    if asked.workers > 1 or asked.ros:  # better found here than in every worker
        evaluated_policy(asked.policy, embodiment, server=server)
    if asked.ros:
        _check_ros(asked)
    cores = len(os.sched_getaffinity(0))
    usual = 0 if asked.ros else max(1, cores // asked.workers)  # 0: the node's own choice
    rules = EpisodeRules(
        max_s=asked.max_seconds,
        charge_inference=asked.charge_inference,
        added_latency_s=asked.add_latency,
        randomize=not asked.plain,
    )
    videos = str(folder / "videos") if asked.videos == "" else asked.videos
    return Setup(
        world=asked.world,
        embodiment_text=embodiment.text,
        policy=asked.policy,
        rules=rules,
        image_size=asked.image_size,
        videos=None if videos is None else Path(videos),
        video_quality=asked.video_quality,
        threads=asked.threads or usual,
        device=asked.device,
        runtime=asked.runtime or "",
        server=server,
    )


def _server(asked: Evaluation) -> ServerAddress | None:
    """Return where the policy is; EvlaError when it is not said, or said of another policy."""
    if asked.policy == "remote":
        if not asked.server:
            raise EvlaError("--policy remote needs --server ws://HOST:PORT, or wss://HOST:PORT")
        return ServerAddress(asked.server, asked.token_file, asked.ca_file)
    for name in ("server", "token_file", "ca_file"):
        if getattr(asked, name):
            option = f"--{name.replace('_', '-')}"
            raise EvlaError(f"{option} has no effect with --policy {asked.policy}; remote takes it")
    return None


def _check_ros(asked: Evaluation) -> None:
    if asked.policy in ("expert", "random"):
        raise EvlaError(
            f"the baseline {asked.policy!r} looks into the simulator, which no ROS node can; "
            "use --ros with a checkpoint, or with hold"
        )
    if asked.charge_inference or asked.add_latency:
        raise EvlaError(
            "--ros plays in real time, late as it is; leave out --charge-inference and "
            "--add-latency, or --ros"
        )
    if asked.videos is not None:
        raise EvlaError("--videos films this process's simulator; leave out --ros or --videos")
    if any(importlib.util.find_spec(name) is None for name in ("rclpy", "evla_ros.msg")):
        raise EvlaError("--ros needs ROS 2: run `make build` and `. ./env.sh`, or leave it out")


def _question(asked: Evaluation, baselines: list[str], *, interrupted: bool) -> dict[str, object]:
    keys = (
        "world", "policy", "tasks", "episodes", "seed", "max_seconds", "charge_inference",
        "add_latency", "plain", "image_size", "workers", "ros", "ros_speed", "device",
    )  # fmt: skip
    values = asdict(asked)
    question = {**{key: values[key] for key in keys}, "tasks": list(asked.tasks)}
    return {**question, "baselines": baselines, "interrupted": interrupted}
