# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""docs/training.md from the first line to the last, for a robot that is not ours.

The commands are read from the page. What is added makes them short.
"""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")

from page_commands import chosen, commands_of, insist, run, start
from synthetic_bag import SyntheticRobot, write_robot_bag

from evla_ros.embodiment import load_embodiment
from evla_ros.training.checkpointing import states
from evla_ros.training.metrics import read_metrics

HEADING = "From my bags to a policy on my robot"
ROOT = Path(__file__).resolve().parents[2]
RECORDED, BAGS, STEPS = 2, 20, 12
SHORT = [f"optimizer.steps={STEPS}", "optimizer.batch=4", "optimizer.warmup_steps=2"]
SHORT += ["eval_every=6", "eval_batches=1", "save_every=2", "log_every=1"]
MY_ROBOT = """
name: my_robot
base_frame: pedestal
rate_hz: 5
goal_rate_hz: 40
cameras:
  primary: {topic: front/image/compressed, transport: compressed, max_age_s: 1.0}
  hand: {topic: hand_cam/compressed, transport: compressed, max_age_s: 1.0}
arms:
  - name: left
    pose: {topic: left_tcp, max_age_s: 0.5}
    goal: {topic: left_goal}
    gripper:
      command: left_fingers/command
      state: joint_states
      state_type: joint_state
      state_joint: finger_joint
      open: 0.0
      closed: 0.8
      max_age_s: 1.0
    limits:
      workspace_min_m: [-1.0, -1.0, 0.0]
      workspace_max_m: [1.0, 1.0, 1.0]
      max_speed_m_s: 0.5
      max_rotation_rad_s: 2.0
      max_step_m: 0.1
      max_step_rad: 0.4
action: {space: ee_delta, chunk: 6, source: commanded}
proprio: [ee_pose, gripper]
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with the robot's file and the shipped checkpoints, as the page assumes."""
    (tmp_path / "my_robot.yaml").write_text(MY_ROBOT)
    (tmp_path / "checkpoints").symlink_to(ROOT / "checkpoints")
    return tmp_path


@pytest.mark.timeout(1500)
def test_twenty_bags_of_somebody_elses_robot_become_a_policy_that_its_node_runs(folder, context):
    page = commands_of("training.md", HEADING)
    record(page, folder, context)
    code, said = run(chosen(page, "convert", "recordings"), folder)
    assert code in (0, 1), said  # 1: the robot of this test was late on a busy machine
    assert f"kept {BAGS} of {BAGS} bags" in said
    code, said = run(chosen(page, "dataset", "doctor"), folder)
    assert code in (0, 1), said  # noise for pictures is not what it likes
    learn_killed_twice(page, folder)
    offline = chosen(page, "eval", "offline", "--policy", "outputs/my_robot/best")
    code, said = run([*offline, "--frames", "4"], folder)
    assert code == 0, said
    assert "left_droll" in said
    drive(page, folder)


def record(page, folder, context):
    """Let the recorder take two episodes; the others are written as it would."""
    from live_recorder import Robot

    body = load_embodiment(folder / "my_robot.yaml")
    robot = Robot(context, body=body, skip=("instruction",))
    recorder = start(chosen(page, "run", "recorder"), folder)
    try:
        for _ in range(RECORDED):
            insist(chosen(page, "call", "recorder", "set_instruction"), folder)
            insist(chosen(page, "call", "recorder", "start"), folder)
            time.sleep(3.0)
            code, said = run(chosen(page, "call", "recorder", "keep"), folder)
            assert code in (0, 1), said  # 1: a busy machine lost messages, and it says so
    finally:
        recorder.send_signal(signal.SIGINT)
        recorder.communicate(timeout=60)
        robot.close()
    for number in range(BAGS - RECORDED):
        made = SyntheticRobot(body, seconds=3.0, seed=number, camera_hz=10.0)
        write_robot_bag(folder / "recordings" / f"more_{number:02d}", made)


def learn_killed_twice(page, folder):
    """Start, kill, resume, end it politely, and resume to the end."""
    run_folder = folder / "outputs" / "my_robot"
    begin = [*chosen(page, "train", "finetune", "--dataset", "datasets/my_robot"), *SHORT]
    resume = chosen(page, "train", "finetune", "outputs/my_robot")
    reached = 0
    for argv, number in ((begin, signal.SIGKILL), (resume, signal.SIGTERM)):
        process = start(argv, folder)
        end = time.monotonic() + 300
        while newest(run_folder) <= reached and process.poll() is None:
            assert time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(number)
        _, said = process.communicate(timeout=100)
        assert process.returncode != 0, "it ended before it was killed"
        assert "Traceback" not in said
        reached = newest(run_folder)
        assert 0 < reached < STEPS
    assert "go on with:\n  evla train finetune outputs/my_robot --resume" in said
    code, said = run(resume, folder)
    assert code == 0, said
    assert [e["step"] for e in read_metrics(run_folder) if "loss" in e] == list(range(1, STEPS + 1))
    for words in ("robot       my_robot", "chunks of 6 x 7: left_dx [m]", "primary, hand", "next:"):
        assert words in said
    assert "held out, after step 12" in said


def newest(run_folder):
    found = states(run_folder)
    return int(found[-1].name.removeprefix("step-")) if found else 0


def drive(page, folder):
    """Run the policy node: it accepts the checkpoint, becomes active and takes an instruction."""
    policy = start(chosen(page, "run", "policy"), folder)
    try:
        insist(chosen(page, "call", "policy", "set_instruction"), folder)
        assert "active" in insist(["call", "policy", "state"], folder)
    finally:
        policy.send_signal(signal.SIGINT)
        policy.communicate(timeout=60)


def test_the_page_has_no_other_commands(folder):
    """A command that is added to the walk is played above, or this fails."""
    played = {
        ("run", "recorder"), ("call", "recorder"), ("convert", "recordings"), ("dataset", "doctor"),
        ("train", "finetune"), ("eval", "offline"), ("run", "policy"), ("call", "policy"),
    }  # fmt: skip
    assert {tuple(argv[:2]) for argv in commands_of("training.md", HEADING)} == played
