# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from evla_ros.data.view.mp4 import write_mp4
from evla_ros.errors import EvlaError


def test_frames_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "a" / "film.mp4"
    levels = [20, 80, 140, 200]
    frames = (np.full((48, 64, 3), level, dtype=np.uint8) for level in levels)
    assert write_mp4(path, frames, 12.5) == 4
    with av.open(str(path)) as container:
        assert container.streams.video[0].average_rate == 12.5
        means = [f.to_ndarray(format="rgb24").mean() for f in container.decode(video=0)]
    assert means == pytest.approx(levels, abs=4)


@pytest.mark.parametrize(
    "frames",
    [
        [],
        [np.zeros((47, 64, 3), np.uint8)],
        [np.zeros((48, 64, 3), np.uint8), np.zeros((32, 64, 3), np.uint8)],
        [np.zeros((48, 64, 3), np.float32)],
    ],
)
def test_nothing_is_left_of_a_video_that_cannot_be(
    tmp_path: Path, frames: list[np.ndarray]
) -> None:
    with pytest.raises(EvlaError):
        write_mp4(tmp_path / "film.mp4", frames, 10.0)
    assert list(tmp_path.iterdir()) == []
