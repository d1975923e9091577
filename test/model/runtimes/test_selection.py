# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The fastest runtime by measurement, on machines that are made up: a clock and costs."""

from __future__ import annotations

import importlib.util

import pytest

from evla_ros.model.predictor import Predictor
from evla_ros.model.runtimes.selection import fastest
from evla_ros.shared_files import checkpoint_folder

# Milliseconds of an answer on machines that this project cannot measure; invented.
MACHINES = {
    "AMX": {"torch bfloat16": 20.0, "openvino bf16": 6.0, "openvino int8": 4.0},
    "AVX2": {"torch float32": 30.0, "openvino fp32": 18.0, "onnx int8": 40.0},
    "Arm": {"torch float32": 60.0, "onnx fp32": 45.0},
    "torch alone": {"torch float32": 13.0},
}
FASTEST = {"AMX": "openvino int8", "AVX2": "openvino fp32", "Arm": "onnx fp32"}


class Machine:
    """A clock that answers move on."""

    def __init__(self) -> None:
        self.now_s, self.asked = 0.0, []

    def answers(self, name: str, milliseconds: float):
        def ask() -> None:
            self.asked.append(name)
            slow = 3.0 if len(self.asked) < 3 else 1.0  # something else runs at first
            self.now_s += slow * milliseconds / 1e3

        return ask


@pytest.mark.parametrize("kind", MACHINES)
def test_the_least_best_time_wins_and_all_wait_alike(kind):
    machine = Machine()
    candidates = {name: machine.answers(name, ms) for name, ms in MACHINES[kind].items()}
    choice = fastest(candidates, lambda: machine.now_s)
    assert choice.name == FASTEST.get(kind, "torch float32")
    assert choice.milliseconds == pytest.approx(MACHINES[kind])
    assert machine.asked[: len(candidates)] == list(candidates)  # in turn
    assert choice.name in choice.text()
    assert machine.now_s < 2.0


def test_a_slow_network_is_asked_twice_and_no_more():
    machine = Machine()
    candidates = {
        "torch": machine.answers("torch", 2000.0),
        "other": machine.answers("other", 900.0),
    }
    assert fastest(candidates, lambda: machine.now_s).name == "other"
    assert machine.asked == ["torch", "other"] * 2


def test_of_equals_the_first_is_taken():
    machine = Machine()
    both = {name: machine.answers(name, 0.0) for name in ("torch", "openvino")}
    assert fastest(both, lambda: machine.now_s).name == "torch"


def test_the_shipped_policy_says_what_was_measured():
    if importlib.util.find_spec("openvino") is None:
        pytest.skip("openvino is not installed: pip install 'evla_ros[openvino]'")
    predictor = Predictor(checkpoint_folder("tabletop_arm"), runtime="auto")
    assert predictor.note.startswith("the fastest runtime here: ")
    assert {"torch", "openvino"} <= {w.strip("(") for w in predictor.note.split()}
