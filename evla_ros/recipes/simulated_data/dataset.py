# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Collect many simulated episodes in processes and write them as one RLDS dataset."""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from evla_ros.data.rlds.staging import stage_episode, staged_path
from evla_ros.data.rlds.writer import DatasetWriter
from evla_ros.embodiment import action_layout
from evla_ros.errors import nearest
from evla_ros.policy.evla_policy import EvlaPolicy
from evla_ros.policy.protocol import Policy
from evla_ros.policy.types import Observation
from evla_ros.reading.text_files import parse_json, read_json
from evla_ros.recipes.simulated_data.collect import Actor, collect_features, demonstrate
from evla_ros.recipes.simulated_data.settings import CollectJob
from evla_ros.sim.worlds import make_any_world
from evla_ros.training.errors import TrainingDataError
from evla_ros.worker_process import end_with_parent

VAL_FRACTION = 0.04
GROUP = 25  # most episodes a process plays on one compiled world


def collect_dataset(root: Path, name: str, job: CollectJob, workers: int = 1) -> Path:
    """Collect episodes and write them as a dataset; a killed run goes on where it stopped.

    Args:
        root: folder of datasets.
        name: name of the dataset.
        job: which episodes, and how each is made.
        workers: how many processes play.

    Returns:
        The folder `<root>/<name>/<version>`.

    Raises:
        TrainingDataError: an unknown task family, or an unfinished run with other options.
    """
    world = make_any_world(job.world, image_size=job.image_size)
    embodiment = world.embodiment
    for family in job.families:
        if family not in world.suite.grammar.families:
            raise TrainingDataError(
                f"no task family {family!r} in {job.world}; "
                f"{nearest(family, world.suite.grammar.families)}"
            )
    if world.suite.equal_shares and not job.families:
        job = replace(job, families=tuple(world.suite.grammar.families), one_by_one=True)
    staging = root / f".{name}.staging"
    _claim(staging, job)
    _play_all(staging, job, workers)
    written = DatasetWriter(
        root,
        name,
        collect_features(world, job.image_size, job.settings),
        embodiment_text=embodiment.text,
        action_layout=action_layout(embodiment),
        staging=staging,
        val_fraction=VAL_FRACTION,
        description=f"Simulated {job.world}: expert, counterfactual labels, object places.",
    ).write()
    for file in staging.iterdir():
        file.unlink()
    staging.rmdir()
    return written.path


def _claim(staging: Path, job: CollectJob) -> None:
    """Note the job beside its episodes, so that no other job's are mixed with them."""
    note, text = staging / "job.json", json.dumps(asdict(job), indent=2)
    if note.exists() and read_json(note) != parse_json(text, "the job"):
        raise TrainingDataError(
            f"{str(staging)!r} holds an unfinished collection with other options; repeat it with "
            "those of its job.json, or remove the folder"
        )
    staging.mkdir(parents=True, exist_ok=True)
    note.write_text(text)


def _play_all(staging: Path, job: CollectJob, workers: int) -> None:
    started, done = time.monotonic(), 0
    if workers == 1:
        for _ in _play(staging, job, job.seeds):
            done += 1
            _progress(done, job.episodes, started)
        return
    size = min(GROUP, -(-job.episodes // workers))  # few episodes keep every process busy too
    groups = [job.seeds[i : i + size] for i in range(0, job.episodes, size)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=end_with_parent) as pool:
        running = [pool.submit(_play_group, staging, job, group) for group in groups]
        for finished in as_completed(running):
            done += finished.result()
            _progress(done, job.episodes, started)


def _play_group(staging: Path, job: CollectJob, seeds: Sequence[int]) -> int:
    return sum(1 for _ in _play(staging, job, seeds))


def _play(staging: Path, job: CollectJob, seeds: Sequence[int]) -> Iterator[int]:
    world = make_any_world(job.world, image_size=job.image_size)
    features = collect_features(world, job.image_size, job.settings)
    policy = EvlaPolicy(job.checkpoint, world.embodiment, threads=1) if job.checkpoint else None
    by = "policy" if policy else "expert"
    for seed in seeds:
        path = staged_path(staging, f"{job.world}-{by}-{seed:08d}")
        if not path.exists():
            actor = _half_chunks(policy) if policy else None
            episode = demonstrate(world, seed, job.settings, actor, job.family(seed))
            stage_episode(staging, episode, features)
        yield seed
    world.close()


def _half_chunks(policy: Policy) -> Actor:
    """Return an actor that asks the policy again after half a chunk, as the controller does."""
    waiting: list[npt.NDArray[np.float64]] = []

    def act(observation: Observation) -> npt.NDArray[np.float64]:
        if not waiting:
            waiting.extend(policy.infer(observation).actions[: -(-policy.chunk_length // 2)])
        return waiting.pop(0)

    return act


def _progress(done: int, total: int, started: float) -> None:
    rate = done / max(time.monotonic() - started, 1e-9)
    line = f"{done}/{total} episodes, {rate:.1f}/s, {(total - done) / rate:.0f} s left"
    if sys.stderr.isatty():
        print(f"\r{line}  ", end="\n" if done == total else "", file=sys.stderr, flush=True)
    elif done % GROUP == 0 or done == total:
        print(line, file=sys.stderr, flush=True)
