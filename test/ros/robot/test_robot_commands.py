# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla robot` on a running graph: a file from a robot that knows nothing of us, and its check."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")
pytest.importorskip("tf2_msgs.msg", reason="`make build` builds it where no distro has it")

from foreign_robot import Foreign, LiveForeign

EVLA = [sys.executable, "-m", "evla_ros", "robot"]
pytestmark = pytest.mark.timeout(240)


def evla(*words, **options):
    return subprocess.run(
        [*EVLA, *map(str, words)], capture_output=True, text=True, timeout=120, **options
    )


@pytest.fixture
def live(context):
    """Return what starts a robot of some kind; each is ended after the test."""
    started = []

    def start(robot=None, **options):
        started.append(LiveForeign(context, robot or Foreign(), **options))
        return started[-1]

    yield start
    for robot in started:
        robot.close()


def reds(file, *words):
    answer = evla("check", file, "--listen", "4", "--json", *words)
    assert answer.returncode in (0, 1), answer.stderr
    rows = json.loads(answer.stdout)["findings"]
    assert all(row["fix"] for row in rows if row["status"] == "red")
    return {row["name"]: row["seen"] + " | " + row["fix"] for row in rows if row["status"] == "red"}


def test_a_file_is_proposed_from_a_live_robot_and_holds_against_it(live, context, tmp_path):
    from geometry_msgs.msg import PoseStamped
    from rclpy.qos import DurabilityPolicy, QoSProfile
    from sensor_msgs.msg import CompressedImage

    robot = live()
    file = tmp_path / "ur.yaml"
    answer = evla("init", file, "--yes", "--listen", "5")
    assert answer.returncode == 0, answer.stderr
    text = file.read_text()
    assert "tf: [base_link, tool0]" in text
    assert "transport: compressed" in text
    assert "cartesian_motion_controller/target_frame, executor: cartesian_controllers" in text
    assert "state_joint: robotiq_85_left_knuckle_joint" in text
    assert "command: gripper/command" in text
    assert reds(file) == {}

    rival = robot.node.create_publisher(PoseStamped, robot._robot.goal, 1)
    second = robot.controller.create_publisher(CompressedImage, robot._robot.camera, 1)
    found = reds(file)
    assert "/ur_driver sends commands too" in found["goal arm"]
    assert "published by /controller and /ur_driver" in found["camera primary"]
    robot.node.destroy_publisher(rival)
    robot.controller.destroy_publisher(second)

    for subscription in list(robot.controller.subscriptions):
        robot.controller.destroy_subscription(subscription)
    qos = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    robot.controller.create_subscription(PoseStamped, robot._robot.goal, lambda _: None, qos)
    found = reds(file)
    assert "asks for transient local" in found["goal arm"]
    assert "nobody subscribes to it" in found["gripper_command arm"]


def test_a_base_that_nav2_drives_too_is_told_of_twist_mux(live, tmp_path):
    from geometry_msgs.msg import Twist

    robot = live(Foreign(drives=True))
    file = tmp_path / "mobile.yaml"
    answer = evla("init", file, "--yes", "--listen", "5")
    assert answer.returncode == 0, answer.stderr
    assert "command: cmd_vel\n" in file.read_text()
    assert "joint: torso_lift_joint" in file.read_text()
    assert reds(file) == {}
    robot.node.create_publisher(Twist, "cmd_vel", 1)
    assert "twist_mux" in reds(file)["base_command"]


def test_a_silent_robot_is_red_everywhere(ros_domain):
    found = reds("tabletop_arm")
    assert "nobody publishes it" in found["camera primary"]
    assert "nobody subscribes to it" in found["goal arm"]


def test_it_asks_on_a_terminal(live, tmp_path):
    """The second candidate for the primary camera, the first for everything else."""
    live()
    main, other = pty.openpty()
    file = tmp_path / "ur.yaml"
    process = subprocess.Popen(
        [*EVLA, "init", str(file), "--listen", "4"], stdin=other, stdout=other, stderr=other,
        env={**os.environ},
    )  # fmt: skip
    os.close(other)
    os.write(main, b"2\n\n\n\n\n\n")
    shown = b""
    try:
        while block := os.read(main, 4096):
            shown += block
    except OSError:  # the other end is closed
        pass
    assert process.wait(60) == 0, shown.decode()
    assert b"Which camera shows the whole scene" in shown
    assert "primary: {topic: wrist_cam/color/image_raw, transport: raw" in file.read_text()
