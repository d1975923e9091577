# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`make gpu-check`: refused without a GPU; on a CPU the list goes through; failures are told."""

from __future__ import annotations

import json

import pytest
import torch

from benchmarks import gpu, gpu_checks
from benchmarks.__main__ import main
from evla_ros.bench.report import Row
from evla_ros.errors import EvlaError

ON_CPU = ["gpu", "--device", "cpu", "--preset", "evla-nano", "--seconds", "0.05", "--actions"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device is here")
def test_without_a_gpu_one_sentence_and_code_2(tmp_path, capsys):
    assert main(["gpu", "--out", str(tmp_path / "rows.json")]) == 2
    said = capsys.readouterr()
    assert said.err.startswith("error: nothing was checked: no CUDA device can be used here (torch")
    assert said.err.count("\n") == 1
    assert not said.out
    assert not (tmp_path / "rows.json").exists()


def test_the_list_on_a_cpu(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # a CPU's threads are not tried against each other
    monkeypatch.setattr(gpu_checks, "NANO_STEPS", 4)
    monkeypatch.setattr(gpu_checks, "MUST_FALL", False)  # four steps need not
    monkeypatch.setattr(gpu_checks, "tests", lambda: iter([Row("gpu.tests.passed", 1, "")]))
    file = tmp_path / "rows.json"
    assert main([*ON_CPU, "1x7", "--out", str(file)]) == 0
    names = {row["name"] for row in json.loads(file.read_text())["rows"]}
    table = capsys.readouterr().out
    for name in ("gpu.step.eager", "gpu.train.step", "gpu.train.loss_last_over_first"):
        assert name in names
        assert name in table


def test_a_check_that_fails_is_a_row_and_code_1(tmp_path, capsys, monkeypatch):
    def broken():
        yield Row("gpu.half", 1.0, "")
        raise EvlaError("the second half is missing")

    monkeypatch.setattr(gpu_checks, "checks", lambda _: [("broken", broken), ("next", _fine)])
    assert main([*ON_CPU, "1x7", "--out", str(tmp_path / "rows.json")]) == 1
    table = capsys.readouterr().out
    assert "the second half is missing" in table
    assert "gpu.half" in table
    assert "gpu.fine" in table
    assert gpu.FAILED in (tmp_path / "rows.json").read_text()


def _fine():
    yield Row("gpu.fine", 1.0, "")
