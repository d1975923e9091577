# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A flood of lines becomes one a second, and a few lines come at once."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from evla_ros.ros.limited_log import LimitedLog


def test_a_few_lines_come_at_once_and_a_flood_once_a_second() -> None:
    lines: list[str] = []
    now_s = [100.0]
    log = LimitedLog(lines.append, now_s=lambda: now_s[0])
    for word in "abc":
        assert log.say(word)
    assert lines == ["a", "b", "c"]
    now_s[0] += 10.0
    said = []
    for _ in range(800):  # 8 s
        now_s[0] += 0.01
        said.append(log.say("flood"))
    assert len(lines) == 3 + said.count(True)
    assert said.count(True) <= 13
    assert lines[-1].startswith("flood (and 9")  # ninety-nine or so left out before it
