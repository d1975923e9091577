# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Real data: the BridgeData V2 sample is loaded, learned and scored offline."""

from __future__ import annotations

import json

from evla_ros.cli.main import main
from evla_ros.training.config_file import parse_config
from evla_ros.training.metrics import read_metrics
from evla_ros.training.train import train


def test_bridge_sample_is_learned_and_scored(shared, settings, tmp_path, capsys):
    data = shared / "data" / "bridge_dataset"
    settings["datasets"] = [{"path": str(data), "transform": "bridge"}]
    settings["optimizer"] = {"steps": 150, "batch": 8, "learning_rate": 3e-3, "warmup_steps": 5}
    settings.update(log_every=25, eval_every=200, eval_batches=8, save_every=150)  # no held-out
    folder = train(parse_config(settings, "test"))
    entries = [e for e in read_metrics(folder) if "loss" in e]
    assert entries[-1]["loss"] < 0.9 * entries[0]["loss"]
    command = ["eval", "offline", "--policy", str(folder / "last"), "--dataset", str(data)]
    command += ["--transform", "bridge"]  # as the run's last lines say
    out = tmp_path / "offline"
    assert main([*command, "--split", "train", "--frames", "20", "--out", str(out), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((out / "report.json").read_text())
    assert report["frames"] == 20
    assert 0.0 < report["l1"]["a0"] < 0.05
    assert 0.0 <= report["token_accuracy"] <= report["tokens_within_4"] <= 1.0
    assert (out / "predicted_vs_true.png").stat().st_size > 5000
    assert main([*command, "--split", "train", "--out", str(out)]) == 2
    assert "exists" in capsys.readouterr().err
