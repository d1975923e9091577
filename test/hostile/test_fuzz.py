# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Spoiled files of every kind are read or refused with a sentence; `make soak` tries thousands.

`fuzz.py` beside this file prints the counts of a run of any length.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzz import SUBJECTS, fuzz, read_sound

FEW, MANY = 6, 1000


@pytest.mark.parametrize("name", SUBJECTS)
def test_a_sound_file_is_read_by_every_call(name, tmp_path):
    """Else a fuzzer would look at nothing but refusals."""
    assert read_sound(SUBJECTS[name], tmp_path) == {"read"}


@pytest.mark.parametrize("name", SUBJECTS)
def test_spoiled_files_end_in_a_sentence(name, tmp_path):
    _check(name, range(FEW), tmp_path)


@pytest.mark.soak
@pytest.mark.parametrize("name", SUBJECTS)
def test_a_thousand_spoiled_files_of_a_kind_end_in_a_sentence(name, tmp_path):
    _check(name, range(FEW, FEW + MANY), tmp_path)


def _check(name: str, seeds: range, folder: Path) -> None:
    tally = fuzz(SUBJECTS[name], seeds, folder)
    print(tally.line())
    assert sum(tally.endings.values()) == len(seeds)
    told = [f"seed {seed} {fault.ending}: {fault.text[-600:]}" for seed, fault in tally.faults[:3]]
    assert not tally.faults, "\n".join([tally.line(), *told])
