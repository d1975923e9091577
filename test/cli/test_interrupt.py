# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ctrl-C ends a verb with one word and no traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import signal, sys, types, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # also where the test runs in background
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from evla_ros.cli import main
@dataclass(frozen=True)
class Options:
    pass
verb = types.ModuleType("evla_ros.cli.wait")
verb.__spec__, verb.Options = ModuleSpec(verb.__name__, None), Options
def run(options):
    print("waiting", flush=True)
    time.sleep(60)
verb.run = run
sys.modules["evla_ros.cli.wait"] = verb
main.COMMANDS.summaries["wait"] = "wait for Ctrl-C"
raise SystemExit(main.main(["wait"]))
"""


def test_ctrl_c_is_clean():
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert errors == "interrupted\n"


def test_a_closed_pipe_is_no_traceback():
    command = f"'{sys.executable}' -m evla_ros --help | head -c 1 > /dev/null"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
