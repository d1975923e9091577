# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a conversion kept, what it dropped, and why; as a table for people and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evla_ros.data.convert.bag_job import BagResult

SHOWN_NAMES = 4


@dataclass(frozen=True)
class ConvertReport:
    """The outcome of one run of the converter."""

    results: Sequence[BagResult]
    dataset: str = ""
    version: str = ""
    splits: Mapping[str, int] = field(default_factory=dict)
    failures: str = ""
    unchanged: bool = False
    resumed: int = 0
    seconds: float = 0.0
    options_fingerprint: str = ""

    def with_status(self, status: str) -> list[BagResult]:
        """Return the bags of one status, in order."""
        return [result for result in self.results if result.status == status]

    def to_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        counts = Counter(result.status for result in self.results)
        return {
            "dataset": self.dataset,
            "version": self.version,
            "unchanged": self.unchanged,
            "splits": dict(self.splits),
            "failures": self.failures,
            "options": self.options_fingerprint,
            "counts": {s: counts[s] for s in ("kept", "dropped", "quarantined")},
            "resumed": self.resumed,
            "seconds": round(self.seconds, 3),
            "steps": sum(result.steps for result in self.results),
            "bags": [result.to_json() for result in self.results],
        }

    def write(self, path: Path) -> None:
        """Write the JSON form atomically."""
        temporary = path.with_name(path.name + ".tmp")
        temporary.write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")
        temporary.replace(path)

    def text(self) -> str:
        """Return the lines a person reads: reasons first, then the totals."""
        lines = []
        for status in ("quarantined", "dropped"):
            lines += [f"{status:12} {told}" for told in _by_reason(self.with_status(status))]
        damaged = [r for r in self.with_status("kept") if r.damage]
        lines += [f"{'salvaged':12} {Path(r.bag).name}: {r.damage}" for r in damaged]
        lost = [r for r in self.with_status("kept") if r.lost_ticks and not r.damage]
        lines += [f"{'gaps':12} {Path(r.bag).name}: {r.lost_ticks} ticks lost" for r in lost]
        kept, steps = len(self.with_status("kept")), sum(r.steps for r in self.results)
        total = len(self.results)
        lines.append(f"kept {kept} of {total} bags, {steps} steps, {self.seconds:.1f} s")
        if self.resumed:
            lines.append(f"{self.resumed} bags were converted by an earlier run")
        if self.dataset:
            splits = ", ".join(f"{name} {count}" for name, count in self.splits.items())
            state = "unchanged" if self.unchanged else "written"
            lines.append(f"{state}: {self.dataset} ({splits} episodes)")
        if self.failures:
            lines.append(f"failed episodes: {self.failures}")
        return "\n".join(lines)


def _by_reason(results: Sequence[BagResult]) -> list[str]:
    """Return `bags: reason`, one line for all bags of one reason."""
    bags: dict[str, list[str]] = {}
    for result in results:
        bags.setdefault(result.reason, []).append(Path(result.bag).name)
    return [f"{_names(names)}: {reason}" for reason, names in bags.items()]


def _names(names: Sequence[str]) -> str:
    if len(names) <= SHOWN_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:SHOWN_NAMES])} and {len(names) - SHOWN_NAMES} more"
