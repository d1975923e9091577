# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The example drives Meta-World through openpi's client against a served policy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("metaworld", reason="Meta-World is not installed")
pytest.importorskip("openpi_client", reason="openpi-client is not here")

from policy_server import PolicyServer

from evla_ros.sim.errors import SimError
from evla_ros.sim.gl_backend import choose_backend

ROOT = Path(__file__).resolve().parents[2]


def test_it_plays_an_episode_and_says_how_it_went():
    try:
        choose_backend()
    except SimError as error:
        pytest.skip(str(error))
    with PolicyServer("hold", "--embodiment", "metaworld_sawyer") as server:
        words = ["reach-v3", "--port", str(server.port), "--episodes", "1", "--steps", "6"]
        done = subprocess.run(
            [sys.executable, str(ROOT / "examples" / "metaworld_client.py"), *words],
            capture_output=True,
            text=True,
            timeout=90,
        )
    assert done.returncode == 0, done.stderr
    assert "seed 0: failed 'reach a goal position'" in done.stdout
    assert done.stdout.splitlines()[-1] == "reach-v3: 0/1"
