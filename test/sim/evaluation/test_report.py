# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from eval_report import read_report
from PIL import Image

from evla_ros.sim.evaluation.plot import write_plot
from evla_ros.sim.evaluation.record import EpisodeRecord, Verdict
from evla_ros.sim.evaluation.report import as_json, write_report
from evla_ros.sim.evaluation.score import scores


def test_report_round_trip(record: Callable[..., EpisodeRecord], tmp_path: Path) -> None:
    records = [record(), record(Verdict.NO_ACTION, seed=1, note="why", video="x.mp4")]
    path = tmp_path / "deep" / "report.json"
    write_report(path, as_json({"world": "tabletop_arm"}, records))
    question, read = read_report(path)
    assert question == {"world": "tabletop_arm"}
    assert read == records
    assert json.loads(path.read_text())["scores"][0]["wilson_95"][1] == 1.0
    assert [p.name for p in path.parent.iterdir()] == ["report.json"]


def test_plot_draws_scored_and_refused(
    record: Callable[..., EpisodeRecord], tmp_path: Path
) -> None:
    records = [
        record(),
        record(Verdict.FAILURE, task="push"),
        record(Verdict.NO_ACTION, policy="b"),
    ]
    path = tmp_path / "success.png"
    write_plot(path, scores(records), "title")
    with Image.open(path) as picture:
        assert picture.width == 1040
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 20
