# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`token_accuracy` of the trainer and of `evla eval offline` is one quantity."""

from __future__ import annotations

import pytest
from small_training import write_dataset

from evla_ros.training.config_file import parse_config
from evla_ros.training.evaluation.offline_eval import evaluate_offline
from evla_ros.training.evaluation.offline_settings import OfflineEvaluation
from evla_ros.training.metrics import read_metrics
from evla_ros.training.samples.source import Source
from evla_ros.training.train import train


@pytest.mark.parametrize("head", ["tokens", "l1"])
def test_the_trainer_and_the_offline_score_count_the_same(settings, tmp_path, head):
    data = write_dataset(tmp_path, "counted", episodes=12)
    samples = len(Source(data, "val"))
    batch = next(n for n in (9, 8, 6, 3) if samples % n == 0)  # no sample is scored twice
    settings["datasets"] = [{"path": str(data)}]
    settings["model"] = {**settings["model"], "action": {"heads": ["tokens", "l1"], "output": head}}
    settings["optimizer"] = {
        "steps": 60, "batch": batch, "learning_rate": 1e-2, "warmup_steps": 5, "ema": 0.0,
        "precision": "fp32",
    }  # fmt: skip
    settings.update(log_every=20, eval_every=60, eval_batches=100, save_every=60)
    folder = train(parse_config(settings, "test"))
    (held_out,) = [e["val"]["counted"] for e in read_metrics(folder) if e.get("val")]
    report = evaluate_offline(
        OfflineEvaluation(policy=folder / "last", dataset=data, split="val", frames=samples)
    )
    assert report["frames"] == samples
    assert held_out["token_accuracy"] == pytest.approx(report["token_accuracy"], abs=0.01)
    for name, error in report["l1"].items():
        assert held_out["l1"][name] == pytest.approx(error, rel=0.02, abs=1e-6)
