# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A pose that comes from TF: the chain of a moving and a static transform."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from policy_rig import ACTIVATE, CONFIGURE, Rig

from evla_ros.embodiment import load_embodiment
from evla_ros.msg import PolicyStatus

RIGS = Path(__file__).resolve().parents[2] / "rigs"
pytestmark = [pytest.mark.timeout(240), pytest.mark.usefixtures("ros_domain")]


@pytest.fixture(params=["base_link", "world"])
def tf_robot(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have a robot that says by TF alone where its tool is, below its base or beside it."""
    pytest.importorskip("tf2_msgs.msg", reason="`make build` builds it where no distro has it")
    process = subprocess.Popen([sys.executable, str(RIGS / "tf_process.py"), request.param])
    yield
    process.kill()
    process.wait()


def _embodiment(folder: Path, pair: str) -> str:
    text = load_embodiment("tabletop_arm").text
    robot = folder / "tf_arm.yaml"
    robot.write_text(text.replace("topic: arm/current_pose", f"tf: [{pair}]"))
    return str(robot)


def test_the_tool_of_a_chain_is_where_motion_starts(tf_robot: None, tmp_path: Path) -> None:
    with Rig(_embodiment(tmp_path, "base_link, tool")) as rig:
        rig.bring_up()
        first = rig.robot.goals[0][0].position
        np.testing.assert_allclose(first, [0.45, 0.0, 0.3], atol=0.02)
        rig.wait_for(lambda: len(rig.robot.goals[0]) > 50, "goals")
        index = rig.statuses[-1].stream_names.index("pose arm")
        assert rig.statuses[-1].stream_rate_hz[index] > 20


def test_a_frame_that_is_not_there_is_named_with_those_that_are(
    tf_robot: None, tmp_path: Path
) -> None:
    with Rig(_embodiment(tmp_path, "base_link, tcp")) as rig:
        assert rig.transition(CONFIGURE)
        assert rig.transition(ACTIVATE)
        rig.robot.say("draw a circle")
        rig.wait_for_reason(PolicyStatus.REASON_WRONG_FRAME)
        rig.wait_for(lambda: "tool" in rig.statuses[-1].reason_text, "the frames that are there")
        refusal = rig.trigger("start")
        assert not refusal.success
        assert "'tcp'" in refusal.message
        assert "flange" in refusal.message
