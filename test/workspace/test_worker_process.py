# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Workers of a pool do not outlive a parent that was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from evla_ros.worker_process import ending

PARENT = """
import multiprocessing, os, sys, time
from concurrent.futures import ProcessPoolExecutor
from evla_ros.worker_process import end_with_parent

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, context, initializer=end_with_parent) as pool:
        print(*{pool.submit(os.getpid).result() for _ in range(8)}, flush=True)
        time.sleep(600)
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_a_parent_that_is_killed(tmp_path, still_run, how):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:
        workers = [int(word) for word in parent.stdout.readline().split()]
        assert workers
        parent.send_signal(how)
        parent.wait(30)
        assert not still_run(workers)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (2, "exit code 2"),
        (-11, "ended by SIGSEGV"),
        (143, "ended by SIGTERM"),
        (-9, "ended by SIGKILL; the memory may not have sufficed"),
        (255, "exit code 255"),
    ],
)
def test_an_end_is_said_in_words(code, words):
    assert ending(code) == words
