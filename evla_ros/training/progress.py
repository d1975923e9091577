# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The line that says how a run is going: loss, token accuracy, L1, samples/s and time left."""

from __future__ import annotations

import sys
from typing import Any


def show(entry: dict[str, Any], steps: int) -> None:
    """Print one entry of the metrics; it overwrites itself on a terminal."""
    left = (steps - entry["step"]) * entry["seconds_per_step"]
    metres = [v for k, v in entry["l1"].items() if k.endswith(("dx", "dy", "dz"))]
    parts = [
        f"step {entry['step']}/{steps}",
        f"loss {entry['loss']:.4f}",
        f"tokens {100 * entry['token_accuracy']:.1f} %",
        f"L1 {1e3 * sum(metres) / len(metres):.2f} mm"
        if metres
        else f"L1 {sum(entry['l1'].values()):.4f}",
        f"{entry['samples_per_s']:.1f} samples/s",
        f"{duration(left)} left",
    ]
    line = "  ".join(parts)
    if sys.stderr.isatty():
        end = "\n" if entry["step"] == steps else ""
        print(f"\r{line}   ", end=end, file=sys.stderr, flush=True)
    else:
        print(line, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """Return seconds as `1 h 02 min`, `3 min 20 s` or `12 s`."""
    whole = max(0, round(seconds))
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"
