# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks train` prints every promised row, with floors where there is one."""

from __future__ import annotations

import json

import pytest
import yaml

from benchmarks.__main__ import main


@pytest.mark.timeout(400)
def test_rows_have_floors_and_say_what_was_measured(settings, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(settings))
    words = ["train", "--config", str(file), "--seconds", "0.05", "--json"]
    assert main([*words, "optimizer.batch=2"]) == 0
    found = json.loads(capsys.readouterr().out)["rows"]
    assert [(row["name"], row["context"].get("ranks")) for row in found] == [
        ("train.loader.samples_per_s", None),
        ("train.step.samples_per_s", None),
        ("train.memory.peak", None),
        ("train.ranks.samples_per_s", 1),
        ("train.ranks.samples_per_s", 2),
    ]
    rows = {(row["name"], row["context"].get("ranks")): row for row in found}
    assert all(row["value"] > 0 for row in found)
    assert all(row["context"]["batch"] == 2 for row in found)
    step = rows["train.step.samples_per_s", None]
    assert step["floor"] > step["value"]  # no step is faster than its products
    two, one = rows["train.ranks.samples_per_s", 2], rows["train.ranks.samples_per_s", 1]
    assert two["floor"] == pytest.approx(2 * one["value"])
    assert rows["train.loader.samples_per_s", None]["floor"] > 0


def test_cached_features_have_a_floor_of_their_own(settings, tmp_path, capsys):
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump({**settings, "freeze": ["vision"], "cache_features": True}))
    words = ["train", "--config", str(file), "--seconds", "0.05", "--ranks", "1", "--json"]
    assert main(words) == 0
    loader, *_ = json.loads(capsys.readouterr().out)["rows"]
    assert loader["context"]["features"] == "cached"
    assert loader["floor"] > loader["value"]  # reading features alone against the whole loader
