# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A tokenizer and statistics for tiny checkpoints; lets the tests import `tiny_model` by name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.text_tokenizer import train_tokenizer

sys.path.insert(0, str(Path(__file__).parent))
torch.set_num_threads(1)  # tiny matrices: threads only cost


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """Return a byte-level tokenizer of 300 entries."""
    return train_tokenizer(
        ["In: What action should the robot take to lift the red block?\nOut:"], 300
    )


@pytest.fixture
def statistics() -> DatasetStatistics:
    """Return two datasets with the layout of the published files."""
    from tiny_model import statistics_entry

    one = {"action": statistics_entry(7), "proprio": statistics_entry(8)}
    return DatasetStatistics({"one": one, "two": {"action": statistics_entry(7, 2.0)}})
