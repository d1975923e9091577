# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks data` at toy size: stable names, floors, clear errors."""

from __future__ import annotations

import json

import pytest

from benchmarks.__main__ import main

QUICK = ["--bag-seconds", "1.5", "--episodes", "3", "--steps", "4", "--seconds", "0.05"]
ONE = ["--cameras", "2", "--threads", "1"]
WITHOUT_ROS = ["--only", "bags", "convert", "dataset"]


def bench(capsys, *words):
    assert main(["data", *QUICK, *words]) == 0
    return capsys.readouterr()


def test_rows_as_json(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("EVLA_TFDS_PYTHON", raising=False)
    monkeypatch.setattr("benchmarks.dataset.TFDS_PYTHON", tmp_path / "none")
    out, err = bench(capsys, "--json", *ONE, *WITHOUT_ROS)
    report = json.loads(out)
    rows = {}
    for row in report["rows"]:
        rows.setdefault(row["name"], []).append(row)
    assert report["machine"]["cores"] >= 1
    assert set(rows) == {
        "data.bag.write", "data.convert.frames_per_s", "data.convert.share_of_floor",
        "data.convert.peak_memory", "data.writer.episodes_per_s", "data.writer.rate",
        "data.writer.cpu_per_episode", "data.writer.peak_memory", "data.reader.open",
        "data.reader.episode_head", "data.reader.steps_per_s", "data.reader.cpu_per_step",
        "data.reader.peak_memory",
    }  # fmt: skip
    assert all(row["value"] > 0 and row["unit"] is not None for row in report["rows"])
    with_floor = ("data.bag.write", "data.convert.frames_per_s", "data.reader.cpu_per_step")
    assert all(row["floor"] > 0 for name in with_floor for row in rows[name])
    processes = [row["context"]["processes"] for row in rows["data.convert.frames_per_s"]]
    assert processes == [1, 2]
    assert [row["context"]["cameras"] for row in rows["data.reader.cpu_per_step"]] == [2]
    assert "tf.data is left out" in err


def test_rows_as_a_table_and_beside_tf_data(tfds_python, capsys):
    words = ["--only", "dataset", "--tfds-python", str(tfds_python)]
    out, _ = bench(capsys, *ONE, *words)
    lines = [line.split() for line in out.splitlines()]
    assert lines[0] == ["name", "value", "unit", "floor", "goal", "context"]
    theirs = [line for line in lines if line[0] == "data.tfdata.cpu_per_step"]
    ours = [line for line in lines if line[0] == "data.reader.cpu_per_step"]
    assert len(theirs) == len(ours) == 1
    assert [line[4] for line in ours] == [line[1] for line in theirs]  # the goal is tf.data's


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--only", "record"], "'record'"),
        (["--only", "dataset", "--tfds-python", "/nowhere/python"], "no interpreter /nowhere"),
        (["--only", "dataset", "--cameras", "3"], "--cameras '3': valid names: 1, 2"),
    ],
)
def test_bad_options(words, message, capsys):
    try:
        status = main(["data", *QUICK, *words])
    except SystemExit as stop:
        status = stop.code
    assert status == 2
    assert message in capsys.readouterr().err
