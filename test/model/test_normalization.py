# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Published arithmetic of normalising and un-normalising, masks, several datasets, clear errors."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tiny_model import statistics_entry

from evla_ros.model.errors import StatisticsError
from evla_ros.model.normalization import DatasetStatistics, Method, make_normalizer

METHODS = get_args(Method)


@given(arrays(np.float64, (3, 7), elements=st.floats(-1, 1)), st.sampled_from(METHODS))
def test_round_trip(values: np.ndarray, method: Method) -> None:
    normalizer = make_normalizer(statistics_entry(7), method, "entry")
    back = normalizer.normalize(normalizer.unnormalize(values))
    np.testing.assert_allclose(back, values, atol=1e-6)


def test_published_formula() -> None:
    entry = statistics_entry(7)
    normalizer = make_normalizer(entry, "q99", "entry")
    x = np.linspace(-3, 3, 7)
    low, high = np.array(entry["q01"]), np.array(entry["q99"])
    expected = np.clip(2 * (x - low) / (high - low + 1e-8) - 1, -1, 1)
    expected[-1] = x[-1]  # the gripper passes
    np.testing.assert_array_equal(normalizer.normalize(x), expected)
    y = np.linspace(-1, 1, 7)
    restored = np.where(entry["mask"], 0.5 * (y + 1) * (high - low) + low, y)
    np.testing.assert_array_equal(normalizer.unnormalize(y), restored)


def test_constant_dimensions_become_zero_and_come_back() -> None:
    entry = {
        **statistics_entry(2),
        "q01": [0.3, 0],
        "q99": [0.3, 1],
        "min": [0.3, 0],
        "max": [0.3, 1],
    }
    normalizer = make_normalizer(entry, "q99", "entry")
    assert normalizer.normalize([0.3, 1.0]).tolist() == [0.0, 1.0]
    assert normalizer.unnormalize([0.0, 1.0]).tolist() == [0.3, 1.0]


def test_a_missing_mask_normalises_everything() -> None:
    entry = statistics_entry(3)
    del entry["mask"]
    assert make_normalizer(entry, "q99", "entry").unnormalize([1.0, 1.0, 1.0]).tolist() == [1, 2, 3]


def test_keys(statistics: DatasetStatistics) -> None:
    assert statistics.action("two").unnormalize(np.ones(7))[0] == 2.0
    with pytest.raises(StatisticsError, match=r"2 datasets \(one, two\); name one: .*--statistics"):
        statistics.action()
    assert statistics.key(None, robot="two") == "two"
    assert statistics.key("one", robot="two") == "one"
    assert list(statistics.only("two").datasets) == ["two"]
    with pytest.raises(StatisticsError, match="name one"):
        statistics.key(None, robot="three")
    with pytest.raises(StatisticsError, match="unknown statistics key 'tow'; did you mean 'two'"):
        statistics.action("tow")
    with pytest.raises(StatisticsError, match="no proprio statistics"):
        statistics.proprio("two")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"q99": [1.0]}, "different lengths"), ({"q01": "x"}, "not lists of numbers"),
        ({"q01": [float("nan")] * 7}, "not finite"), ({"q01": None}, "different lengths"),
    ],
)  # fmt: skip
def test_malformed_statistics(change: dict[str, object], message: str) -> None:
    with pytest.raises(StatisticsError, match=message):
        make_normalizer({**statistics_entry(7), **change}, "q99", "entry")


def test_malformed_files(tmp_path: Path, statistics: DatasetStatistics) -> None:
    file = tmp_path / "dataset_statistics.json"
    with pytest.raises(StatisticsError, match="cannot be read"):
        DatasetStatistics.read(file)
    for text in ("{", "[1]", '{"a": 1}'):
        file.write_text(text)
        with pytest.raises(StatisticsError, match=r"dataset_statistics\.json"):
            DatasetStatistics.read(file)
    statistics.write(file)
    assert DatasetStatistics.read(file) == statistics


def test_wrong_shape_is_refused(statistics: DatasetStatistics) -> None:
    with pytest.raises(StatisticsError, match=r"\[8\] do not fit statistics of 7"):
        statistics.action("one").normalize(np.zeros(8))
