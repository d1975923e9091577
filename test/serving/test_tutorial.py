# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""docs/tutorials/gpu_server.md on one computer: token, certificate, server, and a robot that asks.

What needs a second computer is the same command with another name in it.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("websockets", reason="the extra 'serve' is not installed")
pytest.importorskip("torch", reason="the extra 'model' is not installed")
pytest.importorskip("mujoco", reason="the simulator is not installed")

from page_commands import commands_of, run, typed
from policy_server import PolicyServer

ROOT = Path(__file__).resolve().parents[2]
PAGE = "tutorials/gpu_server.md"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="the page needs openssl")
def test_a_robot_asks_with_the_token_and_the_certificate_of_the_page(tmp_path):
    (tmp_path / "checkpoints").symlink_to(ROOT / "checkpoints")
    shell = [line for line in typed(PAGE) if not line.startswith("evla ")]
    made = "\n".join(shell).replace("python3 ", f"{sys.executable} ")
    subprocess.run(["sh", "-e", "-c", made], cwd=tmp_path, check=True, capture_output=True)
    commands = commands_of(PAGE)
    (serve,) = [argv for argv in commands if argv[0] == "serve" and "--token-file" in argv]
    (ask,) = [argv for argv in commands if argv[0] == "eval" and "--token-file" in argv]
    names = ("robots.token", "server.pem", "server.key", "checkpoints/tabletop_arm")
    words = [str(tmp_path / word) if word in names else word for word in serve[1:]]
    words[words.index("0.0.0.0")] = "127.0.0.1"
    with PolicyServer(*words, "--threads", "1") as server:
        there = [word.replace(":8000", f":{server.port}") for word in ask]
        more = ["--max-seconds", "1", "--baselines", "none", "--threads", "1"]
        code, said = run([*there, *more], tmp_path)
        assert code == 0, said
        assert "remote" in said
        without = [w for w in there if w not in ("--token-file", "robots.token")]
        code, said = run([*without, *more, "--out", "again"], tmp_path)
        assert code != 0
        assert "token" in said
