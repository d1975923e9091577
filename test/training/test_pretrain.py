# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Phase 1 is the trainer of phase 2: pictures decide answers, ranks and resumed runs agree."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml

from evla_ros.cli.main import main
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.model.checkpoint import load_checkpoint, save_checkpoint
from evla_ros.training.config_file import parse_settings
from evla_ros.training.errors import TrainingError
from evla_ros.training.metrics import read_metrics
from evla_ros.training.pretrain import PretrainRequest, pretrain, requested_pretraining
from evla_ros.training.pretrain_config import PretrainConfig

COLOURS = {"red": (200, 20, 20), "blue": (20, 20, 200), "green": (20, 200, 20)}


def talk(question, answer):
    return [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]


@pytest.fixture
def captions(tmp_path):
    """Three pictures with their colour; one item without a picture, one with two."""
    items = []
    for name, colour in COLOURS.items():
        image = np.full((48, 48, 3), colour, dtype=np.uint8)
        (tmp_path / f"{name}.jpg").write_bytes(encode_jpeg(image))
        turns = talk("<image>\nwhat colour?", name)
        items.append({"id": name, "image": f"{name}.jpg", "conversations": turns})
    items.append({"conversations": talk("say hello", "hello") + talk("again?", "hello hello")})
    both = talk("which colours?\n<image>\n<image>", "red blue")
    items.append({"image": ["red.jpg", "blue.jpg"], "conversations": both})
    path = tmp_path / "captions.json"
    path.write_text(json.dumps(items))
    return path


@pytest.fixture
def settings(tmp_path, captions, tiny_preset):
    return {
        "output": str(tmp_path / "vlm"),
        "conversations": [{"path": str(captions)}],
        "model": {"preset": str(tiny_preset), "attention": "sdpa"},
        "optimizer": {"steps": 6, "batch": 4, "learning_rate": 5e-3, "precision": "fp32"},
        "log_every": 1,
        "save_every": 2,
    }


def learn(settings, *, resume=False, **changes):
    config = parse_settings(PretrainConfig, {**settings, **changes}, "x.yaml")
    return pretrain(config, resume=resume)


def losses(folder):
    return [entry["loss"] for entry in read_metrics(folder) if "loss" in entry]


def weights(folder):
    return dict(load_checkpoint(folder / "last").model.named_parameters())


def test_pictures_decide_the_answers(settings):
    settings["optimizer"].update(steps=80, batch=10, warmup_steps=5)
    folder = learn(settings, vision=True)
    last = [entry for entry in read_metrics(folder) if "loss" in entry][-1]
    assert last["taught_token_accuracy"] == 1.0
    assert last["loss"] < 0.1 * losses(folder)[0]
    assert (folder / "curves.png").is_file()
    with pytest.raises(TrainingError, match="holds a run already"):
        learn(settings, vision=True)


def test_a_stopped_run_goes_on_bit_by_bit(settings, tmp_path):
    first = dict(settings, output=str(tmp_path / "halves"))
    first["optimizer"] = {**settings["optimizer"], "schedule": "constant"}
    whole = learn(dict(first, output=str(tmp_path / "whole")))
    short = {**first, "optimizer": {**first["optimizer"], "steps": 3}}
    halves = learn(short)
    assert main(["train", "pretrain", str(halves), "--resume", "optimizer.steps=6"]) == 0
    assert losses(halves) == losses(whole)
    for name, tensor in weights(whole).items():
        assert torch.equal(weights(halves)[name], tensor), name


@pytest.mark.timeout(300)
@pytest.mark.parametrize("distributed", ["ddp", "fsdp"])
def test_two_ranks_learn_what_one_learns_with_accumulation(settings, tmp_path, distributed):
    settings["optimizer"] = {**settings["optimizer"], "accumulate": 2, "steps": 4}
    one = learn(settings, vision=True, activation_checkpointing=True)
    file, two = tmp_path / "two.yaml", tmp_path / "two"
    content = {**settings, "vision": True, "output": str(two), "distributed": distributed}
    content["optimizer"] = {**settings["optimizer"], "accumulate": 1}
    file.write_text(yaml.safe_dump(content))
    many = ["torch.distributed.run", "--nproc-per-node=2", "--standalone", "-m"]
    command = [sys.executable, "-m", *many, "evla_ros.training.pretrain", str(file)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(command, env=environment, timeout=250).returncode == 0
    assert losses(two) == pytest.approx(losses(one), rel=1e-4)
    for name, tensor in weights(one).items():
        torch.testing.assert_close(weights(two)[name], tensor, rtol=1e-3, atol=1e-5)


def test_worker_processes_make_the_same_batches(settings, tmp_path):
    alone = learn(settings)
    assert losses(learn(settings, data={"workers": 1}, output=str(tmp_path / "w"))) == losses(alone)


def test_align_moves_the_projector_alone_and_takes_its_mark_away(settings, tmp_path):
    base = learn(settings, optimizer={"steps": 1, "batch": 2})
    loaded = load_checkpoint(base / "last")
    marked = loaded.config.model_copy(update={"untrained": ("projector", "action_rows")})
    loaded.model.config = marked
    start = tmp_path / "marked"
    save_checkpoint(
        start, loaded.model, loaded.processor.prompt_builder.tokenizer, loaded.statistics
    )
    model = {"start": str(start)}
    aligned = learn(
        settings, stage="align", model=model, output=str(tmp_path / "b"),
        optimizer={"steps": 3, "batch": 2},
    )  # fmt: skip
    before, after = weights(base), weights(aligned)
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"projector"}
    assert load_checkpoint(aligned / "last").config.untrained == ("action_rows",)


def test_epochs_show_every_conversation_once(settings, tmp_path, captions, capsys):
    settings["optimizer"] = {"epochs": 2, "batch": 1, "warmup_share": 0.3, "learning_rate": 1e-3}
    folder = learn(settings)
    assert "step 10/10" in capsys.readouterr().err
    rates = [e["learning_rate"] for e in read_metrics(folder) if "loss" in e]
    assert rates[:3] == pytest.approx([1e-3 / 3, 2e-3 / 3, 1e-3])


def test_what_is_held_out_is_scored_and_not_learned(settings, tmp_path):
    folder = learn(settings, data={"held_out": 2}, eval_every=3)
    scored = [entry["val"]["held out"] for entry in read_metrics(folder) if "val" in entry]
    assert len(scored) == 2
    assert scored[0]["loss"] > 0
    assert (folder / "best" / "model.safetensors").is_file()


REFUSED = [
    ({"model": {"start": "x", "preset": "evla-nano"}}, "model.preset: .*beside model.start"),
    ({"eval_every": 7}, "eval_every: no effect while data.held_out is 0"),
    ({"optimizer": {"epochs": 1, "steps": 7}}, "optimizer.steps: 7 has no effect beside"),
    ({"optimizer": {"warmup_share": 0.1, "warmup_steps": 7}}, "optimizer.warmup_steps: 7 has no"),
    ({"data": {"question": "In:"}}, "data.question: 'In:' lacks"),
    ({"datasets": []}, "datasets: unknown key"),
    ({"data": {"held_out": 5}}, "data.held_out: 5 of 5 conversations leave nothing"),
    ({"data": {"max_length": 10_000}}, "data.max_length: 10000 tokens and 2 picture.* exceed the"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_what_cannot_be_is_named(settings, tmp_path, changes, message):
    with pytest.raises(TrainingError, match=message):
        learn(settings, **changes)
    assert not (tmp_path / "vlm").exists()


def test_random_encoders_are_not_frozen(settings, tmp_path):
    base = learn(settings, optimizer={"steps": 1, "batch": 2})
    loaded = load_checkpoint(base / "last")
    loaded.model.config = loaded.config.model_copy(update={"untrained": ("backbones.0",)})
    start = tmp_path / "random"
    save_checkpoint(
        start, loaded.model, loaded.processor.prompt_builder.tokenizer, loaded.statistics
    )
    with pytest.raises(TrainingError, match=r"vision: the weights of backbones.0 are random"):
        learn(settings, model={"start": str(start)}, output=str(tmp_path / "c"))


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (PretrainRequest(), "name what to learn from: --data JSON"),
        (PretrainRequest(("nowhere",), data=("x",)), "'nowhere' is neither a file nor a setting"),
        (PretrainRequest(resume=True), "--resume needs the folder"),
        (PretrainRequest(("run",), stage="align", resume=True), "--stage: a run goes on"),
        (PretrainRequest(("nowhere",), resume=True), "nothing to resume in 'nowhere'"),
        (PretrainRequest(images="x"), "name what to learn from"),
        (PretrainRequest(data=("x",), stage="warm"), "'--stage warm': stage: 'warm' is not"),
    ],
)
def test_a_wrong_command_line_is_named(request_, message):
    with pytest.raises(TrainingError, match=message):
        requested_pretraining(request_)


def test_damaged_pictures_are_named_and_left_out(settings, captions, capsys):
    (captions.parent / "green.jpg").write_bytes(b"no picture")
    settings["optimizer"].update(steps=5, batch=5)
    folder = learn(settings)
    said = capsys.readouterr().err
    assert "left out: captions.json: item 2" in said
    assert "green.jpg" in said
    assert len(losses(folder)) == 5
    settings["optimizer"].update(steps=30)
    with pytest.raises(TrainingError, match=r"11 of \d+ pictures are damaged"):
        learn(settings, output=str(captions.parent / "again"))
