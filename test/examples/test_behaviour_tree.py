# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The example behaviour tree drives a real policy node: task after task, failure, and a cancel."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("py_trees", reason="pip install py-trees")
pytest.importorskip("evla_ros.action", reason="the interfaces are not built: `make build`")

import py_trees
from policy_rig import ACTIVATE, CONFIGURE, Rig

from evla_ros.msg import PolicyStatus

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "behaviour_tree.py"
pytestmark = [pytest.mark.timeout(240), pytest.mark.usefixtures("ros_domain")]


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("behaviour_tree", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def rig():
    with Rig() as made:
        assert made.transition(CONFIGURE)
        assert made.transition(ACTIVATE)
        made.robot.say("wait")
        made.wait_for_reason(PolicyStatus.REASON_NOT_STARTED)
        yield made


@pytest.fixture
def tick(rig, example):
    """Return what ticks a tree of tasks until a condition holds; the node of the rig spins."""
    from rclpy.action import ActionClient

    from evla_ros.action import RunPolicy

    client = ActionClient(rig.node, RunPolicy, "policy/run")
    assert client.wait_for_server(20.0)

    def run(tasks, seconds, until):
        root = example.tree_of(rig.node, client, tasks, seconds)
        end = time.monotonic() + 60
        while not until(root):
            assert time.monotonic() < end, root.tip().feedback_message
            root.tick_once()
            time.sleep(0.05)
        return root

    yield run
    client.destroy()


def _over(root):
    return root.status in (py_trees.common.Status.SUCCESS, py_trees.common.Status.FAILURE)


def test_tasks_run_one_after_the_other(rig, tick):
    root = tick(["draw a circle", "draw another"], 1.0, _over)
    assert root.status is py_trees.common.Status.SUCCESS
    told = {status.instruction for status in rig.statuses if status.moving}
    assert told == {"draw a circle", "draw another"}


def test_what_the_node_refuses_fails_the_tree_with_its_sentence(rig, tick):
    rig.robot.press_estop(True)
    rig.wait_for_reason(PolicyStatus.REASON_ESTOP)
    root = tick(["draw a circle", "never"], 1.0, _over)
    assert root.status is py_trees.common.Status.FAILURE
    assert "emergency stop" in root.tip().feedback_message


def test_a_leaf_that_is_ended_cancels_and_the_arm_holds(rig, tick):
    root = tick(["draw a circle"], 0.0, lambda _: rig.statuses[-1].moving)
    root.stop(py_trees.common.Status.INVALID)
    rig.wait_for(lambda: not rig.statuses[-1].started, "the end of motion")
    rig.wait_for_reason(PolicyStatus.REASON_RUN_ENDED)


def test_the_program_says_what_it_does_and_what_it_lacks(ros_domain):
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "draw a circle"], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert "no policy node offers ~/run" in done.stdout
    assert subprocess.run([sys.executable, str(EXAMPLE)], capture_output=True).returncode == 1
