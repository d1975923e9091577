# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The real script: it learns, survives SIGKILL exactly, and two ranks learn what one learns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
import yaml
from small_training import CHUNK, small_robot

from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.model.predictor import Predictor
from evla_ros.training.checkpointing import states
from evla_ros.training.config_file import parse_config
from evla_ros.training.errors import TrainingError
from evla_ros.training.metrics import read_metrics
from evla_ros.training.samples.source import Source
from evla_ros.training.train import train

SCRIPT = [sys.executable, "-m", "evla_ros.training.train"]


def environment():
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}


def launch(settings, path, *words, ranks=1):
    path.write_text(yaml.safe_dump(settings))
    start = SCRIPT
    if ranks > 1:
        run = ["torch.distributed.run", f"--nproc-per-node={ranks}", "--standalone"]
        start = [sys.executable, "-m", *run, "-m", "evla_ros.training.train"]
    return subprocess.Popen([*start, str(path), *words], env=environment())


def losses(folder):
    return {e["step"]: e["loss"] for e in read_metrics(folder) if "loss" in e}


def weights(folder, name="last"):
    return dict(load_checkpoint(folder / name).model.named_parameters())


def test_overfits_a_tiny_batch(settings):
    settings["optimizer"] = {
        "steps": 120, "batch": 8, "learning_rate": 1e-2, "warmup_steps": 5, "ema": 0.9,
    }  # fmt: skip
    settings.update(log_every=10, eval_every=120, save_every=120)
    folder = train(parse_config(settings, "test"))
    entries = [e for e in read_metrics(folder) if "loss" in e]
    last = [e["loss"] for e in entries[-4:]]
    assert sum(last) / len(last) < 0.5 * entries[0]["loss"]
    assert min(e["l1"]["arm_dx"] for e in entries) < 0.006  # labels are +-0.02
    assert (folder / "curves.png").stat().st_size > 5000
    assert {p.name for p in folder.iterdir()} >= {"best", "last", "metrics.jsonl", "train.json"}


def test_each_instruction_behind_one_picture_has_its_own_answer(settings, relabelled_dataset):
    settings["datasets"] = [{"path": str(relabelled_dataset)}]
    settings["data"] = {"instructions": 2}
    settings["optimizer"] = {"steps": 150, "batch": 8, "learning_rate": 1e-2, "warmup_steps": 5}
    settings.update(log_every=50, eval_every=1000, save_every=150)
    folder = train(parse_config(settings, "test"))
    predictor = Predictor(folder / "last")
    image = Source(relabelled_dataset, "train").episode(0).episode.image("image_primary", 0)
    for words, sign in (("reach the red block", -1.0), ("reach the blue block", 1.0)):
        actions = predictor.predict({"primary": image}, np.zeros(8, np.float32), words)
        assert np.sign(actions[:, 0]).tolist() == [sign] * predictor.chunk_length


def test_some_steps_at_a_time_learn_all_of_them(settings):
    settings["model"]["action"] = {"mask": "isolated"}
    settings["loss"] = {"steps": 2}
    settings["optimizer"] = {"steps": 60, "batch": 8, "learning_rate": 3e-3, "warmup_steps": 5}
    settings.update(log_every=1, eval_every=1000, save_every=60)
    entries = [e for e in read_metrics(train(parse_config(settings, "test"))) if "loss" in e]
    assert entries[-1]["loss"] < 0.6 * entries[0]["loss"]
    with pytest.raises(TrainingError, match="isolated"):
        train(
            parse_config(
                {
                    **settings,
                    "output": settings["output"] + "2",
                    "model": {**settings["model"], "action": {}},
                },
                "x",
            )
        )


def test_resumed_after_sigkill_equals_uninterrupted(settings, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    settings["optimizer"]["steps"], settings["optimizer"]["ema"] = 12, 0.9
    assert launch({**settings, "output": str(whole)}, tmp_path / "a.yaml").wait(120) == 0
    process = launch({**settings, "output": str(broken)}, tmp_path / "b.yaml")
    deadline = time.monotonic() + 120
    while not states(broken) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    reached = int(states(broken)[-1].name.removeprefix("step-"))
    assert reached < 12, "killed too late to prove anything"
    resumed = {**settings, "output": str(broken)}
    assert launch(resumed, tmp_path / "b.yaml", "--resume").wait(120) == 0
    assert losses(broken) == losses(whole)
    one, two = weights(whole), weights(broken)
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_two_ranks_learn_what_one_rank_learns_in_two_parts(settings, tmp_path):
    settings["optimizer"]["batch"] = 8
    alone = {**settings, "optimizer": {**settings["optimizer"], "accumulate": 2}}
    one = losses(train(parse_config(alone, "test")))
    together = tmp_path / "together"
    process = launch({**settings, "output": str(together)}, tmp_path / "b.yaml", ranks=2)
    assert process.wait(170) == 0
    two = losses(together)
    assert one.keys() == two.keys()
    np.testing.assert_allclose(list(two.values()), list(one.values()), rtol=2e-4)


def test_a_run_is_never_overwritten(settings):
    config = parse_config({**settings, "optimizer": {"steps": 1, "batch": 2}}, "test")
    train(config)
    with pytest.raises(TrainingError, match="holds a run already"):
        train(config)


def test_resume_needs_a_run(settings):
    with pytest.raises(TrainingError, match="nothing to resume"):
        train(parse_config(settings, "test"), resume=True)


def test_batch_must_divide(settings):
    settings["optimizer"].update(batch=3, accumulate=2)
    with pytest.raises(TrainingError, match="not a multiple"):
        train(parse_config(settings, "test"))


def test_a_last_line_cut_by_a_kill_is_left_out(tmp_path):
    (tmp_path / "metrics.jsonl").write_text(
        json.dumps({"step": 1, "loss": 2.0}) + '\n{"step": 2, "lo'
    )
    assert read_metrics(tmp_path) == [{"step": 1, "loss": 2.0}]


def test_a_checkpoint_starts_the_next_run_also_for_another_robot(settings, tmp_path):
    settings["optimizer"] = {"steps": 2, "batch": 4}
    first = train(parse_config(settings, "test"))
    again = {**settings, "output": str(tmp_path / "again")}
    again["model"] = {"start": str(first / "last")}
    again["optimizer"] = {"steps": 1, "batch": 4, "learning_rate": 1e-12, "warmup_steps": 0}
    before, after = weights(first), weights(train(parse_config(again, "test")))
    for name, tensor in before.items():
        torch.testing.assert_close(after[name], tensor, rtol=0, atol=1e-8)
    shorter = tmp_path / "robot.yaml"
    shorter.write_text(small_robot().text.replace(f"chunk: {CHUNK}", "chunk: 2"))
    again.update(output=str(tmp_path / "shorter"), embodiment=str(shorter))
    other = weights(train(parse_config(again, "test")))
    assert other["slot_embedding"].shape[0] == 2 * 7
    torch.testing.assert_close(other["projector.0.weight"], before["projector.0.weight"])
