# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The handshake with MoveIt Servo, over its real service type, built here from its definition."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")

from built_interfaces import use
from policy_rig import ACTIVATE, CONFIGURE, DEACTIVATE, Rig

from evla_ros.embodiment import load_embodiment
from evla_ros.ros.security.policy_file import robot_access

RIGS = Path(__file__).resolve().parents[2] / "rigs"
pytestmark = [pytest.mark.timeout(240), pytest.mark.usefixtures("ros_domain")]


def test_servo_is_told_to_expect_poses_and_paused_afterwards(
    foreign_interfaces: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = load_embodiment("tabletop_arm").text.replace("executor: plain", "executor: servo")
    robot = tmp_path / "servo_arm.yaml"
    robot.write_text(text)
    use(foreign_interfaces, monkeypatch)
    with Rig(str(robot)) as rig:
        assert rig.transition(CONFIGURE), "\n".join(rig.log)
        assert rig.transition(ACTIVATE)
        rig.robot.say("draw a circle")
        time.sleep(0.5)
        clients = {name for name, _ in rig.node.get_client_names_and_types_by_node("policy", "/")}
        allowed = robot_access(load_embodiment(str(robot)))["policy"].requests
        assert clients == {f"/{name}" for name in allowed}
        refusal = rig.trigger("start")
        assert not refusal.success
        assert "switch_command_type" in refusal.message
        program = [sys.executable, str(RIGS / "servo_process.py")]
        servo = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
        calls: list[str] = []

        def read() -> None:
            for line in servo.stdout or ():
                calls.append(line.strip())

        threading.Thread(target=read, daemon=True).start()
        try:
            rig.wait_for(lambda: "ready" in calls, "servo", 20.0)
            rig.start_moving()
            assert {"type 2", "pause False"} <= set(calls)
            assert rig.transition(DEACTIVATE)
            rig.wait_for(lambda: "pause True" in calls, "pause")
        finally:
            servo.kill()
            servo.wait()
