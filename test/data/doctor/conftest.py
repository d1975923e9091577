# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A healthy dataset to plant faults in; lets the tests import their helpers by name."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from synthetic_dataset import synthetic_episode, write_synthetic

from evla_ros.data.doctor.context import SetContext, context_of
from evla_ros.data.doctor.summary import summarize
from evla_ros.data.rlds.reader import RldsDataset

sys.path.insert(0, str(Path(__file__).parent))

from planted import ARM, EPISODES, STEPS


@pytest.fixture(scope="session")
def healthy(tmp_path_factory):
    return [synthetic_episode(i, ARM, steps=STEPS) for i in range(EPISODES)]


@pytest.fixture(scope="session")
def context(healthy, tmp_path_factory) -> SetContext:
    report = write_synthetic(tmp_path_factory.mktemp("set"), healthy, ARM)
    dataset = RldsDataset.open(report.path)
    return context_of(dataset, [summarize(healthy[0], "train", 0)])
