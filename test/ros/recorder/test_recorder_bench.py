# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recorder's benchmark on a real graph, slowly and briefly."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")

from benchmarks import recorder_rows


def test_rows_of_a_short_recording(ros_domain):
    rows = list(recorder_rows.rows(2.0, ["large_images"], hz=12.0))
    assert [row.name.rsplit(".", 1)[-1] for row in rows] == ["core", "lost", "peak_memory"]
    core, lost, memory = rows
    assert core.value > 0
    assert core.goal == 0.35
    assert lost.value >= 0
    assert memory.value > 20
    assert core.context["dds"] == "large_images"
    # Two cameras at 12 Hz and five small topics at 50 Hz, unless the machine is starved.
    assert core.context["messages"] + lost.value > 100


def test_ramp_names_the_rate_it_reached(ros_domain):
    (row,) = recorder_rows.ramp(1.5, ["default"], steps_hz=(12.0,))
    assert row.name == "data.recorder.highest_rate"
    assert row.context["lost_at"] == "none" or row.value == 0
    assert row.value == 0 or 5 < row.value < 24  # 22 MB/s at 12 Hz
