# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`evla bench serve` yields its rows from a real server."""

from __future__ import annotations

import json

from evla_ros.cli.main import main


def test_the_rows_are_there(capsys):
    few = ["--questions", "20", "--requests", "100", "--seconds", "0.5", "--clients", "1", "2"]
    assert main(["bench", "serve", *few, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    names = {row["name"] for row in rows}
    assert names >= {"serve.added.p50", "serve.added.p99", "serve.memory.growth", "serve.reconnect"}
    latency = [row for row in rows if row["name"].startswith("serve.added")]
    assert {row["context"]["encoding"] for row in latency} == {"raw", "jpeg"}
    assert all(0 < row["floor"] < row["value"] for row in latency if row["name"].endswith("p50"))
    assert {row["context"].get("clients") for row in rows if row["name"] == "serve.rate"} <= {1, 2}
