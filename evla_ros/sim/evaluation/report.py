# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation as JSON: what was asked, on which machine, every score and every episode."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evla_ros.errors import EvlaError
from evla_ros.machine import machine
from evla_ros.sim.evaluation.record import EpisodeRecord
from evla_ros.sim.evaluation.score import Score, scores
from evla_ros.version import version

FORMAT = "evla_ros.sim_evaluation/1"


def as_json(question: Mapping[str, Any], records: Sequence[EpisodeRecord]) -> dict[str, Any]:
    """Return the report; `question` is what was asked (world, policy, seed, rules, ...)."""
    return {
        "format": FORMAT,
        "version": version(),
        "machine": machine(),
        "question": dict(question),
        "scores": [_score(s) for s in scores(records)],
        "episodes": [record.as_json() for record in records],
    }


def new_folder(asked: Path | None, stem: str) -> Path:
    """Return the folder of a report: the one asked for, or a new one in `outputs/eval`.

    Raises EvlaError when the one asked for exists.
    """
    if asked is not None:
        if asked.exists():
            raise EvlaError(f"{asked} exists; name another folder with --out")
        return asked
    base = Path("outputs") / "eval"
    names = [stem, *(f"{stem}-{i}" for i in range(2, 10_000))]
    return next(base / name for name in names if not (base / name).exists())


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """Write the JSON completely or not at all."""
    write_text(path, json.dumps(report, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a text completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _score(s: Score) -> dict[str, Any]:
    low, high = s.interval
    return {
        "policy": s.policy,
        "task": s.task,
        "successes": s.successes,
        "trials": s.trials,
        "rate": s.rate,
        "wilson_95": [low, high] if s.trials else None,
        "not_scored": s.void,
        "median_time_s": s.time_s,
        "median_path_m": s.path_m,
        "limited_share": s.limited_share,
        "median_inference_ms": s.inference_ms,
        "never_moved": s.never_moved,
    }
