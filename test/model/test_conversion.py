# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla export`: published weights become a folder that the whole step runs from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_model import statistics_entry, tiny_config, tiny_model
from tokenizers import Tokenizer

from evla_ros.cli.main import main
from evla_ros.model.checkpoint import load_checkpoint, save_checkpoint
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.predictor import Predictor


def test_a_published_checkpoint_drives_a_step(tmp_path: Path, shared: Path) -> None:
    folder = shared / "data" / "evla_reference"
    ranks = shared / "data" / "qwen_vocabulary" / "qwen.tiktoken"
    if not (folder.is_dir() and ranks.is_file()):
        pytest.skip(f"no reference checkpoint in {folder}")
    numbers = tmp_path / "dataset_statistics.json"
    DatasetStatistics({"bridge_orig": {"action": statistics_entry(7)}}).write(numbers)
    target = tmp_path / "evla"
    words = ["export", str(folder / "latest-checkpoint.pt"), str(target), "--dtype", "fp32"]
    options = {
        "--tokenizer": ranks,
        "--statistics": numbers,
        "--architecture": folder / "architecture.json",
    }
    words += [str(word) for pair in options.items() for word in pair]
    assert main(words) == 0
    predictor = Predictor(target)
    frames = {"primary": np.full((480, 640, 3), 80, np.uint8)}
    actions = predictor.predict(frames, None, "put the carrot on the plate")
    assert actions.shape == (1, 7)
    assert main(words) == 2  # it exists: never overwritten


def test_another_dtype(tmp_path: Path, tokenizer: Tokenizer, statistics: DatasetStatistics) -> None:
    config = tiny_config()
    source = save_checkpoint(tmp_path / "a", tiny_model(config), tokenizer, statistics, "name: r")
    assert main(["export", str(source), str(tmp_path / "b"), "--dtype", "bf16"]) == 0
    narrow = load_checkpoint(tmp_path / "b")
    assert {p.dtype for p in narrow.model.parameters()} == {torch.bfloat16}
    assert narrow.embodiment_text == "name: r"


@pytest.mark.parametrize("name", ["missing.pt", "missing_folder"])
def test_bad_sources_exit_with_two(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(tmp_path / name), str(tmp_path / "out")]) == 2
    assert "does not exist" in capsys.readouterr().err
