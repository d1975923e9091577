# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Signals that come after networks in OpenVINO have gone do not end the process."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from evla_ros.model.runtimes.openvino_core import core, in_thread_of_its_own

pytest.importorskip(
    "openvino", reason="OpenVINO is not installed: pip install 'evla_ros[openvino]'"
)

COME_AND_GONE = """
import faulthandler, gc, os, signal, sys
faulthandler.enable()  # gives the main thread a stack for signals, as pytest and rclpy users do
import numpy as np, openvino
from openvino import opset13 as op
from evla_ros.model.runtimes.openvino_graphs import OpenVinoGraph
from evla_ros.model.runtimes.quantisation import quantise_openvino

def model():
    given = op.parameter([2, 8], np.float32)
    product = op.matmul(given, op.constant(np.eye(8, dtype=np.float32)), False, False)
    return openvino.Model([product], [given], "product")

def opened():
    graph = OpenVinoGraph(model(), "fp32", 1, 100)
    assert graph([np.ones((2, 8), np.float32)])[0].sum() == 16
    return graph

heard = []
signal.signal(signal.SIGUSR1, lambda *_: heard.append(1))
first, second, third = opened(), opened(), opened()
if sys.argv[1] == "quantised":
    small = model()
    small.inputs[0].get_tensor().set_names({"x"})
    quantise_openvino(small, ["x"], [[np.ones((2, 8), np.float32)]])
for number in range(3):
    del first
    first = second
    second = third
    third = None
    gc.collect()
    os.kill(os.getpid(), signal.SIGUSR1)
assert len(heard) == 3
print("alive")
"""


@pytest.mark.parametrize("kind", ["opened", "quantised"])
def test_signals_are_survived_when_networks_have_gone(kind):
    if kind == "quantised":
        pytest.importorskip("nncf", reason="nncf is not installed: pip install 'evla_ros[int8]'")
    done = subprocess.run(
        [sys.executable, "-c", COME_AND_GONE, kind], capture_output=True, text=True, timeout=170
    )
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["alive"]), done.stderr[-2000:]


def test_there_is_one_core_and_errors_come_back():
    import openvino

    assert core(openvino) is core(openvino)
    assert in_thread_of_its_own(threading.current_thread) is not threading.current_thread()
    with pytest.raises(ValueError, match="no"):
        in_thread_of_its_own(lambda: int("no"))
