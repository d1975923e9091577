# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from evla_ros.sim.evaluation.record import EpisodeRecord, Verdict


def make_record(verdict: Verdict = Verdict.SUCCESS, **changes: Any) -> EpisodeRecord:
    values: dict[str, Any] = {
        "policy": "expert",
        "task": "lift",
        "seed": 0,
        "instruction": "lift the red block",
        "verdict": verdict,
        "duration_s": 2.0,
        "path_m": (0.5,),
        "goals": 100,
        "limited": 25,
        "chunks": 4,
        "clipped": {"arm.limit_speed": 25},
        "holds": {"waiting_for_chunk": 1},
        "inference_ms": (1.0, 3.0),
        "digest": "00",
    }
    return EpisodeRecord(**{**values, **changes})


@pytest.fixture
def record() -> Callable[..., EpisodeRecord]:
    """Return what makes a record: of a success unless told otherwise."""
    return make_record
