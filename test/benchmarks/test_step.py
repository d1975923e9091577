# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`python -m benchmarks step` says seconds and memory for each precision and what learns."""

from __future__ import annotations

import json

from benchmarks.__main__ import main


def test_rows_say_what_learns_and_how(capsys):
    words = ["step", "--preset", "evla-nano", "--repeat", "1", "--threads", "1", "--json"]
    assert main([*words, "--batch", "2", "--precisions", "fp32", "--checkpointing"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    names = ["train.forward_backward", "train.forward_backward.memory"]
    assert [row["name"] for row in rows] == 2 * names
    assert all(row["value"] > 0 for row in rows)
    trained = [row["context"]["trained"] for row in rows[::2]]
    assert 0 < trained[0] < trained[1]
