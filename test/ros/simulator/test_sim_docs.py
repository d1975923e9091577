# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import yaml

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
from evla_ros.ros.parameters import markdown
from evla_ros.ros.simulator.parameters import TABLE


def test_the_page_shows_the_table_of_the_code(root: Path) -> None:
    assert markdown(TABLE) in (root / "docs" / "sim_node.md").read_text()


def test_the_parameter_file_has_every_parameter_with_its_default(root: Path) -> None:
    tree = yaml.safe_load((root / "config" / "params" / "sim.yaml").read_text())
    assert tree["/**"]["sim"]["ros__parameters"] == {row.name: row.default for row in TABLE}
