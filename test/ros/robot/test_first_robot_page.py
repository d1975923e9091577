# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""docs/first_robot.md, typed as it stands: from a robot that knows nothing of us to a dataset.

The robot has an arm with a gripper, a base and a lift.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")
pytest.importorskip("tf2_msgs.msg", reason="`make build` builds it where no distro has it")

from foreign_robot import Foreign, LiveForeign

PAGE = Path(__file__).resolve().parents[3] / "docs" / "first_robot.md"
pytestmark = pytest.mark.timeout(600)


def commands(step):
    """Return the command lines of a step of the page."""
    sections = re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (section,) = [text for text in sections if text.startswith(f"{step}. ")]
    return re.findall(r"^    (evla .+)$", section, re.MULTILINE)


class Shell:
    """Types lines of the page in a folder; nodes go on in the background."""

    def __init__(self, folder):
        self.folder, self._nodes = folder, []

    def type(self, line, *more, within_s=90.0):
        """Return what a line prints; a refusal is asked again, as a person would."""
        end = time.monotonic() + within_s
        while True:
            done = self.run(line, *more)
            if done.returncode == 0:
                return done.stdout
            logs = [log.read_text()[-600:] for log in sorted(self.folder.glob("node*.log"))]
            assert time.monotonic() < end, "\n".join((f"{line}: {done.stdout}{done.stderr}", *logs))
            time.sleep(0.5)

    def node(self, line):
        """Start a node."""
        log = (self.folder / f"node{len(self._nodes)}.log").open("w")
        words = [sys.executable, "-m", "evla_ros", *shlex.split(line, comments=True)[1:]]
        process = subprocess.Popen(
            words, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            env={**os.environ},
        )  # fmt: skip
        self._nodes.append(process)
        return process

    def end(self, *processes):
        """Press Ctrl-C."""
        for process in processes or self._nodes:
            process.send_signal(signal.SIGINT)
        for process in processes or self._nodes:
            assert process.wait(30) == 0
            self._nodes = [one for one in self._nodes if one is not process]

    def run(self, line, *more):
        """Run a line once."""
        words = [*shlex.split(line, comments=True)[1:], *more]
        return subprocess.run(
            [sys.executable, "-m", "evla_ros", *words], cwd=self.folder, capture_output=True,
            text=True, timeout=120, env={**os.environ},
        )  # fmt: skip


@pytest.fixture
def shell(tmp_path, monkeypatch):
    root = str(Path(__file__).resolve().parents[3])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([root, os.environ.get("PYTHONPATH", "")]))
    made = Shell(tmp_path)
    yield made
    made.end()


def wait_for(condition, what, within_s=30.0):
    end = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def test_the_page_leads_from_a_strange_robot_to_a_dataset(context, shell):
    robot = LiveForeign(context, Foreign(drives=True), follows=True)
    try:
        (init,) = commands(2)
        shell.type(init, "--yes", "--listen", "5")
        file = shell.folder / "my_robot.yaml"  # edited: a busy machine makes the robot pause
        file.write_text(re.sub(r"max_age_s: [\d.]+", "max_age_s: 3.0", file.read_text()))
        check = commands(3)[0]
        assert "all well" in shell.type(check)

        run, instruct, start, status, stop = commands(4)
        rehearsal = shell.node(run)
        shell.type(instruct)
        assert shell.type(start) == "started\n"
        assert "draw a circle" in shell.type(status.removesuffix(" --watch"))
        shell.type(stop)
        shell.end(rehearsal)
        told = robot.goals, robot.velocities, robot.lifts
        assert told == ([], [], []), "in shadow mode the robot gets nothing"

        run, instruct, start = commands(5)
        node = shell.node(run)
        shell.type(instruct)
        robot._robot.held, robot._robot.lifted = (0.4, 0.0, 0.2), 0.1  # at rest, as the page asks
        shell.type(start)
        wait_for(lambda: len(robot.goals) > 50, "goals")
        assert all(abs(goal[0] - 0.4) < 0.02 for goal in robot.goals), "it stays"
        shell.end(node)
        assert robot.lifts, "the lift is told to stay"
        assert np.ptp(robot.lifts) < 0.001

        run, instruct, let_move = commands(6)
        motion = shell.node(run)
        shell.type(instruct)
        before = len(robot.goals)
        shell.type(let_move)
        wait_for(lambda: len(robot.goals) > before + 100, "goals of the circle")
        spread = max(g[1] for g in robot.goals[before:]) - min(g[1] for g in robot.goals[before:])
        assert spread > 0.005, "it moves"

        record, _teleop, instruct, start, keep, recheck, convert, doctor = commands(7)[:8]
        shell.node(record + " min_free_gib=0 min_minutes=0")
        shell.type(instruct)
        episode = shell.type(start).split()[-1]
        shell.type(let_move)  # where it has stopped meanwhile, as on a busy machine
        before = len(robot.goals)
        wait_for(lambda: len(robot.goals) > before + 150, "goals while it is recorded")
        assert episode in shell.type(keep)
        shell.end(motion)
        recheck = re.sub(r"recordings/\S+", f"recordings/{episode}", recheck)
        shell.type(recheck, within_s=0.0)
        converted = shell.run(convert)  # exit code 1 where a busy machine lost ticks
        assert (shell.folder / "datasets" / "my_robot").is_dir(), converted
        assert "my_robot" in shell.run(doctor).stdout
        assert len(robot.velocities) > 100
        assert not np.any(robot.velocities), "the circle is the arm's"
        names = next((shell.folder / "datasets").rglob("README.md")).read_text()
        assert "base_wz" in names
        assert "torso_lift" in names
    finally:
        robot.close()
