# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a conversion kept, what it dropped and why, as text and as JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from evla_ros.data.convert.bag_job import BagResult
from evla_ros.data.convert.loss import MAX_LOSS
from evla_ros.errors import shown

SHOWN_NAMES = 4


@dataclass(frozen=True)
class ConvertReport:
    """The outcome of one run of the converter.

    Attributes:
        results: One result for each bag, in the order of the bags.
        dataset: Path of the dataset that was written.
        version: Its version, such as `1.0.0`.
        splits: Number of episodes by split.
        failures: Path of the dataset of failed episodes; empty when there is none.
        unchanged: True when the dataset already existed with the same content.
        resumed: Bags that an earlier run had converted.
        seconds: How long the run took [s].
        options_fingerprint: See `ConvertOptions.fingerprint`.
        max_loss: Share of a recording's ticks that may be lost without counting as a fault.
    """

    results: Sequence[BagResult]
    dataset: str = ""
    version: str = ""
    splits: Mapping[str, int] = field(default_factory=dict)
    failures: str = ""
    unchanged: bool = False
    resumed: int = 0
    seconds: float = 0.0
    options_fingerprint: str = ""
    max_loss: float = MAX_LOSS

    def moved(self, before: str, after: str) -> ConvertReport:
        """Return it for datasets that were built in one folder and lie in another."""
        return replace(
            self,
            dataset=self.dataset.replace(before, after, 1),
            failures=self.failures.replace(before, after, 1),
        )

    def with_status(self, status: str) -> list[BagResult]:
        """Return the results with this status, in order."""
        return [result for result in self.results if result.status == status]

    @property
    def lossy(self) -> list[BagResult]:
        """The kept bags of which more was lost than is allowed."""
        return [r for r in self.with_status("kept") if r.lost_share > self.max_loss]

    @property
    def complete(self) -> bool:
        """Whether every bag was kept, and as good as all of it."""
        return len(self.with_status("kept")) == len(self.results) and not self.lossy

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
            "max_loss": self.max_loss,
            "lossy": [result.bag for result in self.lossy],
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
        """Return the report as text: the bags that were not kept with reasons, then the totals."""
        lines = []
        for status in ("quarantined", "dropped"):
            lines += [f"{status:12} {told}" for told in _by_reason(self.with_status(status))]
        damaged = [r for r in self.with_status("kept") if r.damage]
        lines += [f"{'salvaged':12} {shown(Path(r.bag).name)}: {r.damage}" for r in damaged]
        lines += [f"{'lost':12} {_lost(r)}" for r in self.with_status("kept") if r.loss]
        notes = _grouped((note, r) for r in self.with_status("kept") for note in r.notes)
        lines += [f"{'note':12} {told}" for told in notes]
        kept, steps = len(self.with_status("kept")), sum(r.steps for r in self.results)
        total = len(self.results)
        lines.append(f"kept {kept} of {total} bags, {steps} steps, {self.seconds:.1f} s")
        if self.lossy:
            lines.append(
                f"of {len(self.lossy)} kept bags more than {self.max_loss:.0%} is lost "
                "(--max-loss): exit status 1"
            )
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
    return _grouped((result.reason, result) for result in results)


def _grouped(told: Iterable[tuple[str, BagResult]]) -> list[str]:
    """Return one line `bags: sentence` for each sentence."""
    bags: dict[str, list[str]] = {}
    for sentence, result in told:
        bags.setdefault(sentence, []).append(shown(Path(result.bag).name))
    return [f"{_names(names)}: {sentence}" for sentence, names in bags.items()]


def _lost(result: BagResult) -> str:
    lost = result.ticks - result.used_ticks
    share = f"{lost} of {result.ticks} ticks ({result.lost_share:.0%})"
    return f"{shown(Path(result.bag).name)}: {share}; {result.loss}"


def _names(names: Sequence[str]) -> str:
    if len(names) <= SHOWN_NAMES:
        return ", ".join(names)
    return f"{', '.join(names[:SHOWN_NAMES])} and {len(names) - SHOWN_NAMES} more"
