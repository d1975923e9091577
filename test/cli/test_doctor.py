# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The doctor says what it sees, names a fix for what is red, and exits accordingly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evla_ros.cli.main import main
from evla_ros.doctor import machine
from evla_ros.doctor.finding import healthy, note, ok, red, to_json, to_table

ROOT = Path(__file__).resolve().parents[2]
PUBLISHER = """
import sys, time, rclpy
from std_msgs.msg import Float64
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import Image, CompressedImage
rclpy.init()
node = rclpy.create_node("robot")
cameras = [node.create_publisher(Image, "camera/primary/image_raw", 1),
           node.create_publisher(CompressedImage, "camera/wrist/image_raw", 1)]
pose = node.create_publisher(PoseStamped, "arm/current_pose", 1)
where = PoseStamped()
where.header.frame_id = "base_link"
where.pose.position.x, where.pose.position.z, where.pose.orientation.w = 0.4, 0.3, 1.0
while True:
    cameras[0].publish(Image(height=1, width=1, step=3, encoding="rgb8", data=[1, 2, 3]))
    cameras[1].publish(CompressedImage())
    where.header.stamp = node.get_clock().now().to_msg()
    pose.publish(where)
    time.sleep(0.02)
"""


def _doctor(*words):
    done = subprocess.run(
        [sys.executable, "-m", "evla_ros", "doctor", "--json", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    answer = json.loads(done.stdout)
    return done.returncode, {row["name"]: row for row in answer["findings"]}, answer["healthy"]


def test_table_shows_the_fix_under_what_is_red():
    findings = [ok("machine", "a", "fine"), red("ROS 2", "b", "gone", "bring it back")]
    table = to_table(findings, colour=False)
    assert "red   b  gone" in table
    assert "fix: bring it back" in table
    assert not healthy(findings)
    assert json.loads(to_json(findings))["healthy"] is False


def test_a_note_alone_leaves_the_machine_healthy():
    assert healthy([ok("machine", "a", "fine"), note("machine", "c", "absent", "pip install c")])


def test_a_full_disk_is_red(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "RAW_BYTES_PER_S", 55e6)
    usage = type("Usage", (), {"free": 10**9})
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda _: usage)
    disk = [finding for finding in machine.check(tmp_path) if finding.name == "disk"]
    assert disk[0].status == "red"
    assert disk[0].fix


def test_every_red_line_has_a_fix(ros_domain):
    code, rows, is_healthy = _doctor()
    assert code == (0 if is_healthy else 1)
    assert rows["self-test"]["status"] == "ok", rows["self-test"]
    assert rows["interfaces"]["status"] == "ok", rows["interfaces"]
    assert all(row["fix"] for row in rows.values() if row["status"] == "red")
    assert rows["discovery"]["status"] == "ok"
    assert f"domain {ros_domain}, LOCALHOST" in rows["discovery"]["seen"]


def test_a_self_test_that_cannot_run_says_why(ros_domain, tmp_path, monkeypatch):
    """Keys that the doctor's own nodes do not have, as in a domain under SROS2."""
    (tmp_path / "enclaves").mkdir()
    monkeypatch.setenv("ROS_SECURITY_KEYSTORE", str(tmp_path))
    monkeypatch.setenv("ROS_SECURITY_STRATEGY", "Enforce")
    monkeypatch.setenv("ROS_SECURITY_ENABLE", "true")
    monkeypatch.setenv("ROS_SECURITY_ENCLAVE_OVERRIDE", "/nobody")
    code, rows, _ = _doctor("--embodiment", "tabletop_arm")
    assert code == 1
    assert rows["self-test"]["status"] == "red"
    assert "SECURITY ERROR: directory" in rows["self-test"]["seen"]
    assert "ROS_SECURITY_ENABLE=false" in rows["self-test"]["fix"]
    assert rows["all"]["seen"] == "not listened to"


def test_the_sros2_policy_is_written_once_and_names_its_nodes(ros_domain, tmp_path):
    target = tmp_path / "evla.policy.xml"
    words = ["--embodiment", "tabletop_arm", "--namespace", "/left", "--sros2-policy", str(target)]
    code, rows, is_healthy = _doctor(*words)
    assert code == (0 if is_healthy else 1)
    assert "policy, recorder, teleop" in rows["SROS2 policy"]["seen"]
    assert 'path="/left/policy"' in target.read_text(encoding="utf-8")
    again = subprocess.run(
        [sys.executable, "-m", "evla_ros", "doctor", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert again.returncode == 2
    assert "exists already" in again.stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--params", "a.yaml"], "add --sros2-policy"),
        (["--sros2-policy", "a.xml"], "add --embodiment"),
        (["--namespace", "/left"], "add --embodiment"),
    ],
)
def test_options_without_effect_are_refused(words, sentence, capsys):
    assert main(["doctor", *words]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.timeout(120)
def test_topics_of_an_embodiment_are_judged(ros_domain):
    """A live camera is green; a wrong type and a silent topic are red, each for its own reason."""
    robot = subprocess.Popen([sys.executable, "-c", PUBLISHER], env={**os.environ})
    try:
        time.sleep(2.0)
        code, rows, _ = _doctor("--embodiment", "tabletop_arm", "--listen", "3")
    finally:
        robot.kill()
        robot.wait()
    assert code == 1
    assert rows["camera primary"]["status"] == "note", rows["camera primary"]
    assert "have no stamp" in rows["camera primary"]["seen"]
    assert rows["pose arm"]["status"] == "ok", rows["pose arm"]
    assert "published as sensor_msgs/msg/CompressedImage" in rows["camera wrist"]["seen"]
    assert "nobody publishes it" in rows["gripper arm"]["seen"]
    assert "nobody subscribes to it" in rows["goal arm"]["seen"]
