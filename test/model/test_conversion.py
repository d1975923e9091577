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


def test_one_of_several_statistics_is_kept_by_name(
    tmp_path: Path,
    tokenizer: Tokenizer,
    statistics: DatasetStatistics,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = tiny_model(tiny_config())
    source = save_checkpoint(tmp_path / "a", model, tokenizer, statistics)
    assert main(["export", str(source), str(tmp_path / "b"), "--statistics", "two"]) == 0
    assert Predictor(tmp_path / "b").key == "two"
    assert main(["export", str(source), str(tmp_path / "c"), "--statistics", "tow"]) == 2
    assert "unknown statistics key 'tow'; did you mean 'two'" in capsys.readouterr().err
    other = tmp_path / "other.json"
    DatasetStatistics({"mine": {"action": statistics_entry(7)}}).write(other)
    assert main(["export", str(source), str(tmp_path / "d"), "--statistics", str(other)]) == 0
    assert Predictor(tmp_path / "d").key == "mine"
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize("option", ["--tokenizer", "--architecture"])
def test_an_option_without_effect_is_refused(
    tmp_path: Path, tokenizer: Tokenizer, statistics: DatasetStatistics, option: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    source = save_checkpoint(tmp_path / "a", tiny_model(tiny_config()), tokenizer, statistics)
    file = tmp_path / "x.json"
    file.write_text("{}")
    assert main(["export", str(source), str(tmp_path / "b"), option, str(file)]) == 2
    assert f"{option} has no effect for" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["missing.pt", "missing_folder"])
def test_bad_sources_exit_with_two(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", str(tmp_path / name), str(tmp_path / "out")]) == 2
    assert "does not exist" in capsys.readouterr().err
