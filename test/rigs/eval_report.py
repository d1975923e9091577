# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reads the report of an evaluation in simulation, and says what two runs must agree on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evla_ros.sim.evaluation.record import EpisodeRecord, Verdict


def read_report(path: Path) -> tuple[dict[str, Any], list[EpisodeRecord]]:
    report = json.loads(path.read_text(encoding="utf-8"))
    return report["question"], [_record(episode) for episode in report["episodes"]]


def outcome(record: EpisodeRecord) -> dict[str, Any]:
    """Return all of a record but wall times and file names."""
    left_out = {"inference_ms", "video", "note"}
    return {name: value for name, value in vars(record).items() if name not in left_out}


def _record(values: dict[str, Any]) -> EpisodeRecord:
    typed = {
        "verdict": Verdict(values["verdict"]),
        "path_m": tuple(values["path_m"]),
        "inference_ms": tuple(values["inference_ms"]),
    }
    return EpisodeRecord(**{**values, **typed})
