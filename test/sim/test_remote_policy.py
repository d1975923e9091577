# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla eval sim --policy remote` scores as the same checkpoint does in this process."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("websockets", reason="the extra 'serve' is not installed")
pytest.importorskip("torch", reason="the extra 'model' is not installed")

from policy_server import PolicyServer

from evla_ros.cli.main import main
from evla_ros.shared_files import checkpoint_folder


def test_a_remote_policy_plays_the_same_episodes(tmp_path, capsys):
    folder = str(checkpoint_folder("tabletop_arm"))
    common = ["--tasks", "reach", "--episodes", "1", "--baselines", "none", "--max-seconds", "4"]
    common += ["--plain", "--json", "--threads", "1"]
    records = []
    with PolicyServer(folder, "--threads", "1") as server:
        for name, words in (
            ("here", ["--policy", folder]),
            ("there", ["--policy", "remote", "--server", server.url]),
        ):
            code = main(["eval", "sim", *words, *common, "--out", str(tmp_path / name)])
            report = json.loads(capsys.readouterr().out)
            assert code == 0
            records.append(report["episodes"][0])
    here, there = records
    assert (here["verdict"], here["chunks"]) == (there["verdict"], there["chunks"])
    assert here["digest"] == there["digest"]  # the same state of the world, to the last bit
