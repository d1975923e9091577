# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The evaluation as JSON: what was asked, on which machine, every score and every episode."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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


def write_report(path: Path, report: Mapping[str, Any]) -> None:
    """Write the JSON completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
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
