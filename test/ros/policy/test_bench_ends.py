# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A benchmark that is terminated leaves no node in the graph."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

pytest.importorskip("rclpy", reason="ROS 2 is not installed: `make build` sets it up")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_a_benchmark_started_ends_with_it(ros_domain, number):
    command = [sys.executable, "-m", "evla_ros", "bench", "node", "--domain", str(ros_domain)]
    with subprocess.Popen(
        command, env=dict(os.environ), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as bench:
        family, end = psutil.Process(bench.pid), time.monotonic() + 60.0
        # Its node is up once that has the worker process of its policy.
        while len(children := family.children(recursive=True)) < 2:
            assert time.monotonic() < end
            time.sleep(0.1)
        bench.send_signal(number)
        assert bench.wait(60.0) != 0
    _, alive = psutil.wait_procs(children, 30.0)
    assert not alive
