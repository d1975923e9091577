# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The tutorials about simulation and about one's own bags, typed as they stand.

What is added, or taken away, makes the commands short.
"""

from __future__ import annotations

import re
import shlex
import signal
from pathlib import Path

import pytest

pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")
pytest.importorskip("mujoco", reason="the simulator is not installed: `make build`")

from foreign_robot import Foreign, write_bag
from page_commands import chosen, commands_of, insist, run, start, typed

from evla_ros.embodiment import load_embodiment
from evla_ros.policy.spec import PolicySpec, build_policy

ROOT = Path(__file__).resolve().parents[2]
SHORT = ["optimizer.steps=6", "optimizer.batch=4", "optimizer.warmup_steps=2", "eval_batches=1"]


@pytest.fixture
def folder(tmp_path):
    """A folder with the shipped checkpoints, as a checkout has them."""
    (tmp_path / "checkpoints").symlink_to(ROOT / "checkpoints")
    return tmp_path


@pytest.mark.timeout(900)
def test_simulation_to_policy(folder, ros_domain):
    page = commands_of("tutorials/simulation.md")
    drive_by_hand(page, folder)
    train = [w for w in chosen(page, "train", "finetune") if not w.startswith("optimizer.")]
    score = ["--tasks", "reach", "--episodes", "1", "--max-seconds", "1", "--baselines", "none"]
    for argv in (
        [*chosen(page, "record", "--world"), "--episodes", "4", "--jobs", "1"],
        chosen(page, "inspect", "demos/seed_000001"),
        [*chosen(page, "convert", "demos"), "--jobs", "1"],
        chosen(page, "dataset", "doctor"),
        [*train, *SHORT],
        [*chosen(page, "eval", "offline"), "--frames", "4"],
        [*chosen(page, "eval", "sim"), *score],
    ):
        code, said = run(argv, folder)
        assert code == 0, said
        if argv[0] == "train":
            assert "evla eval sim --policy outputs/lift/best --world tabletop_arm" in said
    assert (folder / "sheet.png").is_file()
    robot, best = load_embodiment("tabletop_arm"), folder / "outputs" / "lift" / "best"
    assert build_policy(PolicySpec("evla", robot.text, str(best))).chunk_length == 8
    drive_with_what_was_learned(folder, best)
    played = {"record", "inspect", "convert", "dataset", "train", "eval", "run", "call", "status"}
    # `evla doctor` judges this machine; the demo has tests of its own in test/demo and test/ros.
    assert {argv[0] for argv in page} - played == {"doctor", "demo"}


def drive_by_hand(page, folder):
    nodes = [start(chosen(page, "run", name), folder) for name in ("sim", "policy")]
    try:
        assert insist(chosen(page, "call", "policy", "start"), folder) == "started\n"
        code, said = run(chosen(page, "status"), folder)
        assert code == 0, said
        assert said.startswith("/policy: active"), said  # whether it moves: how busy we are
        insist(chosen(page, "call", "policy", "stop"), folder)
    finally:
        for node in reversed(nodes):
            node.send_signal(signal.SIGINT)
            node.communicate(timeout=60)


def drive_with_what_was_learned(folder, best):
    """Let the node load the checkpoint, whose cameras are square, as the last line does."""
    node = start(["run", "policy", "--set", f"checkpoint={best}", "load_timeout_s=600"], folder)
    try:
        insist(["call", "policy", "set_instruction", "lift the red block"], folder)
        assert insist(["call", "policy", "state"], folder) == "active\n"
    finally:
        node.send_signal(signal.SIGINT)
        node.communicate(timeout=60)


@pytest.mark.timeout(300)
def test_bags_of_another_recorder_become_a_dataset(folder):
    for number in range(3):
        robot = Foreign(seconds=4.0 + number)
        write_bag(folder / "bags" / f"pick_{number:02d}", robot, 1_750_000_000_000_000_000 + number)
    page = commands_of("tutorials/bags_to_policy.md")
    code, said = run([*chosen(page, "robot", "init"), "--yes"], folder)
    assert code == 0, said
    code, said = run(chosen(page, "robot", "check"), folder)
    assert code == 0, said
    convert = [*chosen(page, "convert", "bags"), "--jobs", "1"]
    code, said = run(convert, folder)
    assert (code, "the instruction is empty" in said) == (2, True), said
    words = row("docs/tutorials/bags_to_policy.md", "the instruction is empty")
    code, said = run([*convert, *words], folder)
    assert code == 0, said
    assert "kept 3 of 3 bags" in said
    code, said = run(chosen(page, "dataset", "doctor"), folder)
    assert code in (0, 1), said  # invented pictures are not what it likes
    assert "my_robot 1.0.0: 3 episodes" in said


def row(page, symptom):
    """Return the options that a table of a page names for a symptom."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return shlex.split(re.search(rf"^\| {symptom} \| `(.+?)`", text, re.MULTILINE)[1])


def test_what_follows_is_what_training_says():
    """From the training on the tutorial types what docs/training.md does, which a test plays."""
    mine = typed("tutorials/bags_to_policy.md")
    theirs = set(typed("training.md", "From my bags to a policy on my robot"))
    rest = mine[mine.index("evla dataset doctor datasets/my_robot") :]
    assert len(rest) > 6
    rehearsal = " shadow=true"
    assert not [line for line in rest if line.removesuffix(rehearsal) not in theirs]
