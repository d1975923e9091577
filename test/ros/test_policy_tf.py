# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A pose that comes from TF: the chain of a moving and a static transform."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from built_interfaces import use

from evla_ros.bench.policy_rig import Rig
from evla_ros.embodiment import load_embodiment

pytestmark = [pytest.mark.timeout(240), pytest.mark.usefixtures("ros_domain")]


def test_the_tool_of_a_chain_is_where_motion_starts(
    foreign_interfaces: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(foreign_interfaces, monkeypatch)
    text = load_embodiment("tabletop_arm").text
    robot = tmp_path / "tf_arm.yaml"
    robot.write_text(text.replace("topic: arm/current_pose", "tf: [base_link, tool]"))
    process = subprocess.Popen([sys.executable, str(Path(__file__).with_name("tf_process.py"))])
    try:
        with Rig(str(robot)) as rig:
            rig.bring_up()
            first = rig.robot.goals[0][0].position
            np.testing.assert_allclose(first, [0.45, 0.0, 0.3], atol=0.02)
            rig.wait_for(lambda: len(rig.robot.goals[0]) > 50, "goals")
            index = rig.statuses[-1].stream_names.index("pose arm")
            assert rig.statuses[-1].stream_rate_hz[index] > 20
    finally:
        process.kill()
        process.wait()
