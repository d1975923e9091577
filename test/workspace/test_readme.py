# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The first page shows the robot, says what to type, and its numbers are those of the lab."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# A number of the page, and what its own page says in other words.
MEASURED = {
    "training_nano.md": ("200 of 207", "200/207 97 % | 93-98 %"),
    "training_nano.md#2": ("58 of 60", "58/60 97 %"),
    "training_nano.md#3": ("126 of 207", "126 of 207"),
    "adaptation.md": (
        "lift both 100 %, tray 97 %",
        "| 97 % (83 to 99) | 100 % (89 to 100) | 83 % (66 to 93) |",
    ),
    "adaptation.md#2": ("83 to 88 %", "88 % (78 to 94)"),
    "runtimes.md": ("8.2 ms in torch", "| 7.7 / 8.2 |"),
    "runtimes.md#2": ("3.1 ms in OpenVINO", "**3.0 / 3.1**"),
    "metaworld.md": ("mean of groups 64.2 %", "mean of groups 64.2 (58.9-69.2)"),
    "joint_vs_autoregressive.md": ("4 to 7 times faster", "4 to 7 times faster"),
    "policy_node_latency.md": ("0 of 997 missed", "| goals missed of 997 | 0; 0 | 0; 0 |"),
}


def test_it_begins_with_two_sentences_and_a_moving_picture_of_at_most_2_mb():
    begin = README.partition("![")[0].partition("\n\n")[2].strip()
    assert len(re.findall(r"\.(?:\s|$)", begin)) == 2
    picture = ROOT / re.search(r"!\[[^\]]+\]\(([^)]+)\)", README).group(1)
    assert picture.stat().st_size <= 2_000_000
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed").open(picture)
    assert image.is_animated
    assert image.n_frames > 20
    assert image.width >= 600


def test_it_has_three_doors_and_a_dated_comparison():
    doors = re.findall(r"^### (.+)$", README, re.MULTILINE)
    assert doors == ["Try it in simulation", "Put it on my robot", "Train EVLA on my data"]
    beside = README.partition("## Beside others")[2]
    assert beside.strip().startswith("As of ")
    for name in ("LeRobot", "rosetta", "openpi", "cyclo_intelligence", "OpenRAL"):
        assert f"[{name}](https://github.com/" in beside


@pytest.mark.parametrize("key", MEASURED)
def test_a_number_is_that_of_its_page(key):
    here, there = MEASURED[key]
    assert here in README
    page = ROOT / "docs" / "lab" / key.partition("#")[0]
    assert there in page.read_text(encoding="utf-8")
