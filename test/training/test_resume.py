# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The folder on the command line is the run; a stop saves; a refused start leaves nothing."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import torch
import yaml
from small_training import small_settings

from evla_ros.cli.main import main
from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.training.checkpointing import states
from evla_ros.training.config_file import parse_config
from evla_ros.training.errors import TrainingError
from evla_ros.training.metrics import read_metrics
from evla_ros.training.run_folder import run_config
from evla_ros.training.train import train

ALONE = [sys.executable, "-m"]
TOGETHER = [*ALONE, "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m"]


def launch(words, ranks=1, **options):
    start = ALONE if ranks == 1 else TOGETHER
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [*start, "evla_ros.training.train", *map(str, words)]
    return subprocess.Popen(command, env=environment, text=True, **options)


def losses(folder):
    return {e["step"]: e["loss"] for e in read_metrics(folder) if "loss" in e}


def fingerprint(folder):
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


HALF = {"steps": 3, "batch": 4, "schedule": "constant", "precision": "fp32"}


@pytest.fixture
def half(settings):
    """A run of three steps of six."""
    settings["optimizer"] = HALF
    return train(parse_config(settings, "x.yaml"))


@pytest.fixture(scope="module")
def untouched_half(tmp_path_factory, plain_dataset, tiny_preset):
    """The same run for all tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("half") / "run"
    settings = {**small_settings(folder, plain_dataset, tiny_preset), "optimizer": HALF}
    train(parse_config(settings, "x.yaml"))
    before = fingerprint(folder)
    yield folder
    assert fingerprint(folder) == before


def go_on(folder, *changes):
    return train(run_config(folder, changes, resume=True), resume=True)


def test_a_copied_run_goes_on_in_the_copy(half, tmp_path):
    copy = tmp_path / "elsewhere" / "copy"
    shutil.copytree(half, copy)
    before = fingerprint(half)
    assert main(["train", "finetune", str(copy), "--resume", "optimizer.steps=4"]) == 0
    assert fingerprint(half) == before
    assert max(losses(copy)) == 4
    assert json.loads((copy / "train.json").read_text())["optimizer"]["steps"] == 4
    shutil.rmtree(half)
    assert go_on(copy / "train.json", "optimizer.steps=5") == copy
    assert max(losses(copy)) == 5


def test_a_run_goes_on_without_the_files_that_it_began_with(half, settings, tmp_path):
    start = shutil.copytree(half / "last", tmp_path / "start")
    robot = tmp_path / "robot.yaml"
    shutil.copy(start / "embodiment.yaml", robot)
    second = {**settings, "output": str(tmp_path / "second"), "embodiment": str(robot)}
    second["model"] = {"start": str(start), "action": {"mask": "isolated"}}
    folder = train(parse_config(second, "x.yaml"))
    shutil.rmtree(start)
    robot.unlink()
    go_on(folder, "optimizer.steps=4")
    assert max(losses(folder)) == 4
    assert load_checkpoint(folder / "last").config.action.mask == "isolated"
    data = json.loads((folder / "train.json").read_text())
    assert (data["model"]["start"], data["embodiment"]) == (str(start), str(robot))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["output=x"], "'output=x': a run goes on in its own folder"),
        (["model.start=x", "model.preset="], "model.start: the run in .* began with ''"),
        (["model.vision=x"], "model.vision: the run in .* began with ''"),
        (["model.preset=evla-1b"], "model.preset: the run in .* began with"),
        (["model.action.mask=isolated"], "action.mask: block_prefix_lm -> isolated takes a new"),
        (["model.chunk=2"], "action.chunk: 4 -> 2 takes a new run"),
        (["data.augment=true"], "data.augment: the run in .* began with False"),
        (["lora.alpha=3"], "command line, 'lora.alpha=3': lora.alpha: no effect"),
    ],
)
def test_what_a_run_cannot_change_on_the_way_is_refused(untouched_half, changes, message):
    before = fingerprint(untouched_half)
    with pytest.raises(TrainingError, match=message):
        go_on(untouched_half, *changes)
    assert fingerprint(untouched_half) == before


def test_what_is_no_run_is_named(untouched_half, tmp_path):
    with pytest.raises(TrainingError, match=r"nothing to resume in .*it has no train.json"):
        run_config(tmp_path, resume=True)
    with pytest.raises(TrainingError, match="is a folder; a run in it goes on with --resume"):
        run_config(untouched_half, resume=False)


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": {"batch": 3, "accumulate": 2}},
        {"model": {"preset": "evla-nano", "cameras": ["overhead"]}},
        {"wandb": "project"},
        {"statistics": "pooled", "datasets": [{"path": "nowhere"}]},
    ],
)
def test_a_refused_start_leaves_nothing_behind(settings, tmp_path, monkeypatch, changes):
    monkeypatch.setitem(sys.modules, "wandb", None)
    before = set(tmp_path.iterdir())
    with pytest.raises(Exception, match=r"\w"):
        train(parse_config({**settings, **changes}, "x.yaml"))
    assert set(tmp_path.iterdir()) == before


def test_a_start_refused_after_the_claim_leaves_nothing_either(settings, tmp_path, monkeypatch):
    from evla_ros.training import train as script

    def refuse(*_, **__):
        raise TrainingError("too late")

    monkeypatch.setattr(script, "MetricsLog", refuse)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("kept")
    for output in ("run", "new"):
        settings["output"] = str(tmp_path / output)
        with pytest.raises(TrainingError, match="too late"):
            train(parse_config(settings, "x.yaml"))
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["mine.txt"]
    assert not (tmp_path / "new").exists()


@pytest.mark.timeout(500)
@pytest.mark.parametrize(
    ("number", "ranks"), [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGTERM, 2)]
)
def test_a_stopped_run_is_saved_and_says_how_to_go_on(settings, tmp_path, number, ranks):
    settings["optimizer"] = {"steps": 4000, "batch": 4, "learning_rate": 1e-5, "precision": "fp32"}
    settings.update(save_every=1000, eval_every=100000, log_every=1)
    folder = tmp_path / "run"
    settings["output"] = str(folder)
    file = tmp_path / "x.yaml"
    file.write_text(yaml.safe_dump(settings))
    process = launch([file], ranks, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 150
    while not read_metrics(folder) and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(number)
    _, said = process.communicate(timeout=100)
    assert process.returncode != 0
    reached = int(states(folder)[-1].name.removeprefix("step-"))
    assert 0 < reached < 1000
    assert f"stopped after step {reached} of 4000: saved; go on with:" in said
    command = said.split("go on with:")[1].split("\n")[1].strip()
    expected = f"evla train finetune {folder} --resume"
    if ranks > 1:
        expected = f"torchrun --nproc-per-node 2 -m evla_ros.training.train {folder} --resume"
    assert command == expected
    assert (folder / "last").is_dir()
    assert go_on(folder, f"optimizer.steps={reached + 2}") == folder
    assert sorted(losses(folder)) == list(range(1, reached + 3))


@pytest.mark.timeout(500)
def test_another_number_of_ranks_goes_on_alike(half, tmp_path):
    copies = [shutil.copytree(half, tmp_path / name) for name in ("one", "two")]
    go_on(copies[0], "optimizer.steps=5")
    assert launch([copies[1], "--resume", "optimizer.steps=5"], ranks=2).wait(170) == 0
    one, two = (losses(copy) for copy in copies)
    assert one.keys() == two.keys() == set(range(1, 6))
    assert list(two.values()) == pytest.approx(list(one.values()), rel=2e-4)
    weights = [dict(load_checkpoint(c / "last").model.named_parameters()) for c in copies]
    for name, tensor in weights[0].items():
        torch.testing.assert_close(weights[1][name], tensor, rtol=1e-3, atol=1e-5)
