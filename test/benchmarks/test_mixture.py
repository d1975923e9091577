# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks mixture` prints every promised row, with floors and goals."""

from __future__ import annotations

import json

import pytest

from benchmarks import mixture_data
from benchmarks.__main__ import main


@pytest.mark.timeout(300)
def test_rows_have_floors_and_say_what_was_measured(capsys, monkeypatch):
    monkeypatch.setattr(mixture_data, "EPISODES", 1)
    monkeypatch.setattr(mixture_data, "STEPS", 6)
    words = ["mixture", "--seconds", "0.05", "--batch", "2", "--repeats", "1", "--side", "48"]
    assert main([*words, "--workers", "0", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["rows"]
    loader, *orders, memory = found
    assert loader["name"] == "mixture.loader.samples_per_s"
    assert loader["context"]["workers"] == 0
    assert loader["context"]["datasets"] == 3
    assert loader["floor"] > 0 < loader["value"]
    assert [row["context"]["samples"] for row in orders] == [10**3, 10**6, 10**9]
    assert max(row["value"] for row in orders) < 300  # KiB
    assert memory["name"] == "mixture.memory"
