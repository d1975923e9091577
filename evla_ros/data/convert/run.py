# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole conversion: find the bags, convert the new ones, compare them, write the dataset."""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from evla_ros.data.camera_shapes import joined
from evla_ros.data.convert.bag_job import BagResult
from evla_ros.data.convert.bag_places import every_bag, key_of
from evla_ros.data.convert.bag_record import BAGS_FILE, BagRecord
from evla_ros.data.convert.dataset_features import bag_features
from evla_ros.data.convert.engines import Engine, serial
from evla_ros.data.convert.extras import resolved
from evla_ros.data.convert.gates import check_gate_names
from evla_ros.data.convert.loss import MAX_LOSS
from evla_ros.data.convert.manifest import Manifest
from evla_ros.data.convert.options import ConvertOptions
from evla_ros.data.convert.report import ConvertReport
from evla_ros.data.rlds.folder import WriteReport
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
    max_loss: float = MAX_LOSS,
) -> ConvertReport:
    """Convert bags into the dataset `out/<name>/<version>`; called again after a kill, it resumes.

    Args:
        paths: Bags, or folders with bags in them.
        out: The folder that holds datasets.
        options: How to convert.
        name: Name of the dataset; None takes the embodiment's.
        engine: Where the bags are converted.
        progress: Called with (bags done, bags in all, latest result).
        keep_staging: Keep the staged episodes after the dataset is written.
        max_loss: Share of a recording that may be lost without counting as a fault, 0 to 1.

    Returns:
        The report, which also lists the bags that were not kept and why.

    Raises:
        EvlaError: There is no bag, `out` cannot be written, or no bag gave an episode.
    """
    started = time.perf_counter()
    check_gate_names(options.allow)
    name = name or options.embodiment().name
    bags = every_bag(paths)
    options = resolved(options, bags)
    staging = staging_folder(out, name, options)
    results, resumed = convert_all(bags, options, staging, engine, progress)
    report = ConvertReport(
        compare(results, options),
        resumed=resumed,
        options_fingerprint=options.fingerprint(),
        max_loss=max_loss,
    )
    kept = report.with_status("kept")
    if not kept:
        report.write(out / f"{name}_conversion.json")
        raise EvlaError(f"none of {len(bags)} bags gave an episode:\n{report.text()}")
    remove_others(staging, kept)
    report = with_dataset(report, _write(out, name, options, staging, kept))
    report = replace(report, seconds=time.perf_counter() - started)
    report.write(out / f"{name}_conversion.json")
    if not keep_staging:
        shutil.rmtree(staging, ignore_errors=True)
    return report


def staging_folder(out: Path, name: str, options: ConvertOptions) -> Path:
    """Make the folder of finished episodes that a killed run leaves for the next."""
    staging = out / f".{name}.{options.fingerprint()}.staging"
    try:
        staging.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EvlaError(
            f"cannot write into {out}: {error.strerror}; choose another --out"
        ) from error
    return staging


def _write(
    out: Path, name: str, options: ConvertOptions, staging: Path, kept: Sequence[BagResult]
) -> WriteReport:
    embodiment = options.embodiment()
    return DatasetWriter(
        out,
        name,
        bag_features(embodiment, options.image_size, options.extras or ()),
        embodiment_text=options.embodiment_text,
        action_layout=action_layout(embodiment),
        staging=staging,
        cameras=joined({n: (size,) for n, size in r.camera_sizes.items()} for r in kept),
        files={BAGS_FILE: BagRecord.of(options.fingerprint(), kept).text()},
    ).write()


def with_dataset(report: ConvertReport, written: WriteReport) -> ConvertReport:
    """Return the report with what stands on the disk."""
    return replace(
        report,
        dataset=str(written.path),
        version=written.version,
        splits=dict(written.splits),
        unchanged=written.unchanged,
        failures="" if written.failures is None else str(written.failures.path),
    )


def convert_all(
    bags: Sequence[Path],
    options: ConvertOptions,
    staging: Path,
    engine: Engine,
    progress: Progress | None,
) -> tuple[list[BagResult], int]:
    """Return the result of each bag, and how many an earlier run had converted."""
    manifest = Manifest(staging / "manifest.jsonl")
    keys = {str(bag): key_of(bag) for bag in bags}
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


def compare(results: list[BagResult], options: ConvertOptions) -> list[BagResult]:
    """Drop bags by comparison: a recording that is there twice, or a camera of unusual size."""
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


def remove_others(staging: Path, kept: Sequence[BagResult]) -> None:
    """Delete staged episodes of bags that this run does not contain."""
    kept_paths = {staged_path(staging, name) for result in kept for name in result.episode_ids}
    for path in staging.glob(f"*{SUFFIX}"):
        if path not in kept_paths:
            path.unlink()
