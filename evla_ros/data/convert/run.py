# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole conversion: find bags, convert what is new, compare across bags, write the dataset."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from evla_ros.data.bags.reader import find_bags
from evla_ros.data.convert.bag_job import BagResult
from evla_ros.data.convert.dataset_features import bag_features
from evla_ros.data.convert.engines import Engine, serial
from evla_ros.data.convert.gates import check_gate_names
from evla_ros.data.convert.manifest import Manifest, bag_key
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.report import ConvertReport
from evla_ros.data.rlds.staging import SUFFIX, staged_path
from evla_ros.data.rlds.writer import DatasetWriter
from evla_ros.embodiment import action_layout
from evla_ros.errors import EvlaError

Progress = Callable[[int, int, BagResult], None]


def convert(
    paths: Sequence[Path],
    out: Path,
    options: ConvertOptions,
    *,
    name: str | None = None,
    engine: Engine = serial,
    progress: Progress | None = None,
    keep_staging: bool = False,
) -> ConvertReport:
    """Convert bags into `out/<name>/<version>`; call it again after a kill and it resumes.

    Raises EvlaError when there is no bag, or nothing to write a dataset from; faults of single
    bags are in the report.
    """
    started = time.perf_counter()
    check_gate_names(options.allow)
    embodiment = options.embodiment()
    name = name or embodiment.name
    bags = find_bags(list(paths))
    staging = out / f".{name}.{options.fingerprint()}.staging"
    try:
        staging.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvlaError(
            f"cannot write into {out}: {error.strerror}; choose another --out"
        ) from error
    results, resumed = _convert_all(bags, options, staging, engine, progress)
    results = _compare(results, options)
    report = ConvertReport(results, resumed=resumed, options_fingerprint=options.fingerprint())
    kept = report.with_status("kept")
    if not kept:
        report.write(out / f"{name}_conversion.json")
        raise EvlaError(f"none of {len(bags)} bags gave an episode:\n{report.text()}")
    _remove_others(staging, kept)
    features = bag_features(embodiment, options.image_size)
    with DatasetWriter(
        out,
        name,
        features,
        embodiment_text=options.embodiment_text,
        action_layout=action_layout(embodiment),
        staging=staging,
    ) as writer:
        pass
    written = writer.report
    failures = "" if written.failures is None else str(written.failures.path)
    report = replace(
        report,
        dataset=str(written.path),
        version=written.version,
        splits=dict(written.splits),
        unchanged=written.unchanged,
        failures=failures,
        seconds=time.perf_counter() - started,
    )
    report.write(out / f"{name}_conversion.json")
    if not keep_staging:
        shutil.rmtree(staging, ignore_errors=True)
    return report


def _convert_all(
    bags: Sequence[Path],
    options: ConvertOptions,
    staging: Path,
    engine: Engine,
    progress: Progress | None,
) -> tuple[list[BagResult], int]:
    manifest = Manifest(staging / "manifest.jsonl")
    keys = {str(bag): bag_key(bag) for bag in bags}
    results: dict[str, BagResult] = {}
    for bag in bags:
        earlier = manifest.get(keys[str(bag)])
        if earlier is not None and _is_staged(earlier, staging):
            results[str(bag)] = earlier
    resumed = len(results)
    todo = [bag for bag in bags if str(bag) not in results]
    for result in engine(todo, options, staging):
        manifest.add(keys[result.bag], result)
        results[result.bag] = result
        if progress is not None:
            progress(len(results), len(bags), result)
    return [results[str(bag)] for bag in bags], resumed


def _is_staged(result: BagResult, staging: Path) -> bool:
    return all(staged_path(staging, name).is_file() for name in result.episode_ids)


def _compare(results: list[BagResult], options: ConvertOptions) -> list[BagResult]:
    """Drop what only shows between bags: the same recording twice, another picture size."""
    seen: dict[str, str] = {}
    kept = [result for result in results if result.status == "kept"]
    usual = {
        camera: Counter(r.camera_sizes[camera] for r in kept if camera in r.camera_sizes)
        for result in kept[:1]
        for camera in result.camera_sizes
    }
    checked = []
    for result in results:
        reason = ""
        if result.status == "kept" and result.message_hash in seen:
            reason = f"the same recording as {Path(seen[result.message_hash]).name}"
        elif result.status == "kept" and "size" not in options.allow:
            reason = _odd_size(result, usual)
        if result.status == "kept" and not reason:
            seen[result.message_hash] = result.bag
        checked.append(
            replace(result, status="dropped", reason=reason, steps=0) if reason else result
        )
    return checked


def _odd_size(result: BagResult, usual: dict[str, Counter[tuple[int, int]]]) -> str:
    for camera, size in result.camera_sizes.items():
        (common, _count), *_ = usual[camera].most_common(1)
        if size != common:
            return (
                f"camera {camera} is {size[1]}x{size[0]} here and {common[1]}x{common[0]} in most "
                "bags (gate 'size'; --allow size keeps it)"
            )
    return ""


def _remove_others(staging: Path, kept: Sequence[BagResult]) -> None:
    """Delete staged episodes of bags that are not part of this run any more."""
    wanted = {staged_path(staging, name) for result in kept for name in result.episode_ids}
    for path in staging.glob(f"*{SUFFIX}"):
        if path not in wanted:
            path.unlink()
