# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Every published dataset gives the numbers that OpenVLA's transforms give.

`published.npz` holds those: the transforms and state keys of github.com/openvla/openvla at c8f03f4
were applied by TensorFlow 2.21 to the invented episodes of `test/rigs/open_x_fakes.py`, [2 * T,
D + P] per dataset.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import open_x_fakes as fakes
import pytest
from open_x_datasets import write_fake

from evla_ros.data.open_x.datasets import DATASETS
from evla_ros.data.open_x.standardize import needed_columns, standardize
from evla_ros.data.rlds.reader import RldsDataset

HERE = Path(__file__).parent
TEXTS = {"language_table": "push it to bowl {} ü"}


@pytest.fixture(scope="module")
def published():
    with np.load(HERE / "published.npz") as stored:
        return dict(stored)


def standardized(name: str, folder: Path) -> np.ndarray:
    opened = RldsDataset.open(folder)
    dataset = opened.reading(needed_columns(name, opened.features))
    rows = []
    for index, episode in enumerate(dataset.episodes("train")):
        found = standardize(name, episode)
        text = TEXTS.get(name, "put the cup on plate {}").format(index)
        assert set(found.instructions) == {text}
        learned = slice(found.first, found.stop)
        rows.append(np.concatenate([found.action, found.proprio], axis=1)[learned])
        for camera, key in found.cameras.items():
            assert episode.image(key, 0).shape == (fakes.SIZE, fakes.SIZE, 3), camera
    return np.concatenate(rows)


@pytest.mark.parametrize("name", fakes.COLUMNS)
def test_numbers_are_the_published_ones(name, published, tmp_path):
    found = standardized(name, write_fake(tmp_path, name, fakes.EPISODES))
    np.testing.assert_allclose(found, published[name], atol=1e-5)


def test_what_tfds_writes_gives_them_too(tfds_python, published, tmp_path):
    """With its own types: zlib tensors, float64, booleans, names with slashes."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("PYTHONPATH", None)
    script = str(HERE / "write_with_tfds.py")
    argv = [str(tfds_python), script, str(tmp_path), *fakes.COLUMNS]
    subprocess.run(argv, check=True, env=environment, capture_output=True)
    for name, expected in published.items():
        found = standardized(name, tmp_path / name)
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=name)


def test_only_datasets_without_published_features_have_no_fake():
    assert set(fakes.COLUMNS) == set(published_names())
    assert set(DATASETS) - set(fakes.COLUMNS) == {
        "droid_wrist",
        "ppgm",
        "ppgm_static",
        "ppgm_wrist",
    }


def published_names() -> list[str]:
    with np.load(HERE / "published.npz") as stored:
        return list(stored)
