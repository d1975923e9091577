# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Spoil many copies of every kind of file and count how reading them ends.

    PYTHONPATH=test/rigs python test/hostile/fuzz.py [KIND ...] [--count N] [--seed S] [--keep DIR]

An input is sound when it is read or refused with a sentence (an EvlaError), in bounded time and
memory, and nothing was written outside the folder for output.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from bag_subjects import BAGS
from dataset_subjects import DATASETS
from embodiment_subjects import EMBODIMENTS
from model_subjects import MODELS
from sandbox import Outcome, listing, run
from subject import Subject, copied, read_with_all

SUBJECTS = {subject.name: subject for subject in (*EMBODIMENTS, *DATASETS, *MODELS, *BAGS)}


class Tally(NamedTuple):
    """How the inputs of one kind ended."""

    name: str
    endings: Counter[str]
    faults: list[tuple[int, Outcome]]  # seed, and how it ended
    slowest_s: float

    def line(self) -> str:
        """Return the counts as one line."""
        counts = ", ".join(f"{count} {ending}" for ending, count in sorted(self.endings.items()))
        total, bad = sum(self.endings.values()), len(self.faults)
        slowest = f"slowest {self.slowest_s:.1f} s"
        return f"{self.name:<16} {total} inputs: {counts}; {bad} faults, {slowest}"


def fuzz(subject: Subject, seeds: Sequence[int], folder: Path, keep: Path | None = None) -> Tally:
    """Spoil and read one copy for each seed.

    Args:
        subject: The kind of file.
        seeds: What each copy is spoiled by.
        folder: An empty folder to work in.
        keep: Where copies with faults go; None keeps none.
    """
    original = subject.original(folder / "original")
    beside = [path for path in original.parent.iterdir() if path != original]
    endings: Counter[str] = Counter()
    faults, slowest = [], 0.0
    for seed in seeds:
        place = folder / "input"
        place.mkdir()
        for path in beside:
            if path.name == "data":
                (place / path.name).symlink_to(path)
        spoiled = copied(original, place / original.name)
        kind = zlib.crc32(subject.name.encode())
        subject.spoil(spoiled, np.random.default_rng((seed, kind)))
        started = time.monotonic()
        outcome = _read(subject, spoiled, folder)
        slowest = max(slowest, time.monotonic() - started)
        endings[_ending(outcome)] += 1
        if not outcome.sound:
            faults.append((seed, outcome))
            if keep is not None:
                copied(place, keep / f"{subject.name}-{seed}")
        shutil.rmtree(place, ignore_errors=True)
    return Tally(subject.name, endings, faults, slowest)


def read_sound(subject: Subject, folder: Path) -> set[str]:
    """Return the endings of all calls on a file that nobody spoiled."""
    original, out = subject.original(folder / "original"), folder / "out"
    out.mkdir()
    return {run(call).ending for call in subject.calls(original, out)}


def _read(subject: Subject, spoiled: Path, folder: Path) -> Outcome:
    before, out = listing(folder), folder / "out"
    out.mkdir()
    calls = subject.calls(spoiled, out)
    outcome = run(lambda: read_with_all(calls))
    shutil.rmtree(out)
    after = listing(folder)
    strange = sorted(path for path in {*before, *after} if before.get(path) != after.get(path))
    if outcome.sound and strange:
        outcome = Outcome("failed", f"written outside the output: {strange[:5]}")
    return outcome


def _ending(outcome: Outcome) -> str:
    """Return how a sound input ended: read by all calls, by some, or by none."""
    if outcome.ending != "read":
        return outcome.ending
    refused = sum(map(bool, outcome.value))
    return "read" if not refused else "refused" if refused == len(outcome.value) else "partly read"


def main() -> int:
    """Fuzz the kinds that are named, or all; 1 when there are faults."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=list(SUBJECTS))
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    bad = 0
    for kind in asked.kinds:
        with tempfile.TemporaryDirectory() as folder:
            seeds = range(asked.seed, asked.seed + asked.count)
            tally = fuzz(SUBJECTS[kind], seeds, Path(folder), asked.keep)
        print(tally.line(), flush=True)
        shown: set[str] = set()
        for seed, outcome in tally.faults:
            last = outcome.text.strip().splitlines()[-12:]
            if last[-1:] and last[-1][:60] not in shown:
                shown.add(last[-1][:60])
                print(f"--- seed {seed}: {outcome.ending}", *last, sep="\n", flush=True)
        bad += len(tally.faults)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
