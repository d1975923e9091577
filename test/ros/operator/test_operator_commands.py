# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla run`, `evla call` and `evla status` on a real graph: a node from nothing to motion."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")

EVLA = [sys.executable, "-m", "evla_ros"]
pytestmark = [pytest.mark.timeout(240), pytest.mark.usefixtures("ros_domain")]


def evla(*words):
    return subprocess.run([*EVLA, *words], capture_output=True, text=True, timeout=90)


@pytest.fixture
def run(tmp_path):
    """Return what starts `evla run` with words; each ends as by Ctrl-C and must end well."""
    started = []

    def start(*words):
        log = (tmp_path / f"{len(started)}.log").open("w")
        process = subprocess.Popen(
            [*EVLA, "run", *words], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            env={**os.environ},
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.send_signal(signal.SIGINT)
    codes = [process.wait(20) for process in started]
    assert codes == [0] * len(codes), [f.read_text()[-800:] for f in tmp_path.glob("*.log")]


@pytest.fixture
def robot(context):
    """Return a robot that is heard and obeys."""
    import threading

    import rclpy
    from rclpy.executors import SingleThreadedExecutor

    from evla_ros.bench.fake_robot import FakeRobot
    from evla_ros.embodiment import load_embodiment

    node = rclpy.create_node("robot", context=context)
    robot = FakeRobot(node, load_embodiment("tabletop_arm"), image_size=(48, 64))
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    thread = threading.Thread(target=executor.spin, daemon=True)
    thread.start()
    robot.start()
    yield robot
    robot.stop()
    executor.shutdown()
    thread.join(5.0)
    node.destroy_node()


def refused(*words):
    """Return the sentence with which `evla call` says that something was not done."""
    answer = evla("call", *words)
    assert answer.returncode == 1, answer
    assert answer.stderr.startswith("not done: ")
    assert len(answer.stderr.strip().splitlines()) == 1
    return answer.stderr


def done(*words):
    answer = evla("call", *words)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def mistaken(*words):
    answer = evla("call", *words)
    assert answer.returncode == 2, answer
    assert len(answer.stderr.strip().splitlines()) == 1
    return answer.stderr


def test_a_policy_is_taken_from_nothing_to_motion_and_back(run, robot):
    run("policy", "--set", "policy=circle", "worker=thread", "autostart=false", "listen_first_s=0")
    assert "offers no 'start' yet; `evla call policy configure`" in refused("policy", "start")
    assert "is unconfigured and cannot activate" in refused("policy", "activate")
    assert "/policy is inactive" in done("policy", "configure")
    assert "not active" in refused("policy", "start")
    assert "/policy is active" in done("policy", "activate")
    assert "There is no instruction" in refused("policy", "start")
    done("policy", "set_instruction", "draw a circle")
    assert done("policy", "start") == "started\n"
    deadline = time.monotonic() + 30
    while True:
        answer = evla("status", "--json")
        (row,) = json.loads(answer.stdout)["nodes"]
        if row.get("moving") and row["streams"]:
            break
        assert time.monotonic() < deadline, row
    assert answer.returncode == 0
    assert (row["node"], row["state"]) == ("/policy", "active")
    assert row["instruction"] == "draw a circle"
    assert {stream["name"] for stream in row["streams"]} >= {"camera primary", "pose arm"}
    text = evla("status").stdout
    assert "MOVING: Goals follow the policy" in text
    assert "camera primary" in text
    robot.switches.cameras["primary"] = False
    deadline = time.monotonic() + 30
    while "camera primary !" not in (text := evla("status").stdout):
        assert time.monotonic() < deadline, text
    assert "not moving: " in text
    assert done("policy", "stop") == "stopped\n"
    listed = done("policy")
    assert 'set_instruction "TEXT"' in listed
    assert "lifecycle: configure" in listed
    assert "did you mean 'start'?" in mistaken("policy", "strat")
    assert "takes no text" in mistaken("policy", "start", "now")
    assert "takes the instruction" in mistaken("policy", "set_instruction")
    assert "takes no --seed" in mistaken("policy", "stop", "--seed", "3")
    assert done("policy", "shutdown") == "/policy is finalized\n"


def test_a_refused_configure_says_what_the_log_says(run):
    run("policy", "--set", "checkpoint=/no/such/checkpoint", "autostart=false", "worker=thread")
    assert "/no/such/checkpoint" in refused("policy", "configure")


def test_a_recorder_in_a_namespace_is_told_the_task_and_records_it(run, context, tmp_path):
    from live_recorder import Robot

    from evla_ros.data.bags.reader import open_bag

    robot = Robot(context, skip=("instruction",))
    output = tmp_path / "bags"
    run("recorder", "--set", f"output={output}", "operator=007", "min_free_gib=0", "min_minutes=0")
    assert "no instruction" in refused("recorder", "start")
    done("recorder", "set_instruction", "pick up the block")
    deadline = time.monotonic() + 30
    while (answer := evla("call", "recorder", "start")).returncode:
        assert time.monotonic() < deadline, answer.stderr
    episode = answer.stdout.split()[-1]
    time.sleep(1.0)
    assert "takes on or off" in mistaken("recorder", "intervention", "maybe")
    done("recorder", "intervention", "on")
    assert f"recording {episode}" in evla("status").stdout
    done("recorder", "mark_success")
    kept = evla("call", "recorder", "keep", "--json")
    robot.close()
    assert json.loads(kept.stdout)["success"] is True
    with open_bag(output / episode) as bag:
        assert bag.info.custom_data["instruction"] == "pick up the block"
        assert bag.info.custom_data["operator"] == "007"
        assert bag.info.topics["/instruction"].count == 1


def test_who_is_not_there_is_said_with_who_is(run):
    assert "no node at all is seen" in refused("policy", "start")
    nobody = evla("status")
    assert nobody.returncode == 1
    assert "no policy or recorder node is there" in nobody.stderr
    run("policy", "--namespace", "left", "--set", "policy=circle", "worker=thread")
    deadline = time.monotonic() + 30
    while "/left/policy" not in (sentence := refused("policy", "start")):
        assert time.monotonic() < deadline, sentence
    assert "add --namespace /left" in sentence
    assert "has not sent" in refused("/left/policy", "start")
    assert "has not sent" in refused("policy", "start", "--namespace", "left")
    assert json.loads(evla("status", "--namespace", "right", "--json").stdout) == {"nodes": []}
    (row,) = json.loads(evla("status", "--json").stdout)["nodes"]
    assert row["node"] == "/left/policy"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["polcy"], "did you mean 'policy'?"),
        (["policy", "--set", "shadow"], "write NAME=VALUE"),
        (["policy", "--params-file", "no.yaml"], "there is no such file"),
        (["policy", "--embodiment", "tabletop_arn"], "did you mean 'tabletop_arm'?"),
        (["policy", "--set", "polic=circle"], "did you mean 'policy'?"),
        (["teleop", "--set", "speed_m_s=fast"], "speed_m_s: 'fast' is not accepted"),
        (["sim", "--set", "world=moon"], "moon"),
    ],
)
def test_settings_that_a_node_refuses_end_it_with_one_sentence(words, sentence):
    answer = evla("run", *words)
    assert answer.returncode == 2, answer
    assert sentence in answer.stderr
    assert "Traceback" not in answer.stderr
