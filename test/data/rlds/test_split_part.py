# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parts of a split are those that TFDS means by the same text."""

from __future__ import annotations

import pytest

from evla_ros.data.rlds.errors import DatasetError
from evla_ros.data.rlds.split_part import split_name, split_part


@pytest.mark.parametrize(
    ("text", "episodes", "expected"),
    [
        ("train", 7, (0, 7)),
        ("train[:95%]", 10, (0, 10)),  # 9.5 is rounded to the even number
        ("train[95%:]", 10, (10, 10)),
        ("train[:95%]", 20, (0, 19)),
        ("train[95%:]", 20, (19, 20)),
        ("train[2:5]", 7, (2, 5)),
        ("train[5:]", 3, (3, 3)),
        ("train[50%:20%]", 10, (5, 5)),
    ],
)
def test_bounds(text, episodes, expected):
    assert split_part(text, episodes) == ("train", *expected)
    assert split_name(text) == "train"


@pytest.mark.parametrize("text", ["", "train[", "train[a:b]", "train[5]", "train[:-1]", "[:5]"])
def test_other_texts_are_refused(text):
    with pytest.raises(DatasetError, match="in no known form"):
        split_part(text, 10)
