# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla record --world --ros`: the same episode through the graph as in lock-step."""

from __future__ import annotations

import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")
pytest.importorskip("evla_ros.msg", reason="the interfaces are not built: `make build`")
pytest.importorskip("mujoco", reason="MuJoCo is not installed: pip install 'evla_ros[sim]'")

from evla_ros.cli.main import main
from evla_ros.data.bags.reader import find_bags, open_bag


def test_both_ways_give_bags_of_one_form_that_convert(ros_domain, tmp_path, capsys):
    common = ["record", "--world", "tabletop_arm", "--task", "lift", "--image-size", "32"]
    fast, graph = tmp_path / "fast", tmp_path / "graph"
    assert main([*common, "--episodes", "1", "--jobs", "1", "--out", str(fast)]) == 0
    assert main([*common, "--episodes", "1", "--ros", "--out", str(graph)]) == 0
    forms = []
    for folder in (fast, graph):
        with open_bag(find_bags([folder])[0]) as bag:
            topics = {n: (t.type, t.definition) for n, t in bag.info.topics.items()}
            assert bag.info.damage is None
            assert all(t.count for t in bag.info.topics.values())
            forms.append((topics, sorted(bag.info.custom_data)))
    assert forms[0] == forms[1]
    out = tmp_path / "out"
    command = ["convert", str(fast), str(graph), "--out", str(out), "--image-size", "32"]
    # The graph records in real time: on a busy machine two decisions fall into one step.
    command += ["--allow", "step"]
    assert main([*command, "--jobs", "1"]) == 0
    assert "kept 2 of 2 bags" in capsys.readouterr().out


def test_an_unknown_robot_is_refused_instead_of_waiting(tmp_path, capsys):
    words = ["record", "--embodiment", str(tmp_path / "nope.yaml"), "--out", str(tmp_path)]
    assert main(words) == 2
    assert "nope.yaml: cannot be read" in capsys.readouterr().err
