# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A setting that has no effect in a run is an error that names it; nothing is silently ignored."""

from __future__ import annotations

import pytest
import torch
from small_training import CHUNK, small_robot

from evla_ros.errors import EvlaError
from evla_ros.model.checkpoint import load_checkpoint, save_checkpoint
from evla_ros.training.config_file import load_config, parse_config
from evla_ros.training.errors import TrainingError
from evla_ros.training.parts import build
from evla_ros.training.train import train

TOKENS = {"heads": ["tokens"], "output": "tokens"}
GRADUAL = {"decode": "autoregressive", **TOKENS}


def changed(settings, changes):
    """Put dotted changes over the settings."""
    for path, value in changes.items():
        *folders, leaf = path.split(".")
        target = settings
        for folder in folders:
            many = isinstance(target, list)
            target = target[int(folder)] if many else target.setdefault(folder, {})
        target[leaf] = value
    return settings


ALONE = [
    ({"cache_features": True}, "cache_features: .*needs freeze: \\[vision\\]"),
    ({"cache_features": True, "freeze": ["vision"], "data.augment": True}, "cache_features: "),
    ({"cache_features": True, "lora.rank": 2}, "cache_features: not with lora"),
    ({"features": "somewhere"}, "features: no effect while cache_features"),
    ({"loss.grounding": 1.0, "data.augment": True}, "loss.grounding: .*augment: false"),
    ({"loss.grounding_layer": 0}, "loss.grounding_layer: no effect"),
    ({"lora.rank": 4, "freeze": ["vision"]}, "freeze: .*leave freeze empty"),
    ({"lora.alpha": 4.0}, "lora.alpha: no effect"),
    ({"lora.dropout": 0.1}, "lora.dropout: no effect"),
    ({"freeze": ["llm", "llm_but_last"]}, "freeze: .*contradict"),
    ({"data.proprio_dropout": 0.5, "model.proprio": False}, "data.proprio_dropout: no effect"),
    ({"datasets.0.weight": 2.0}, "datasets\\[0\\].weight: no effect with a single dataset"),
    ({"datasets.0.val_split": ""}, "eval_every: no effect while every val_split is empty"),
    ({"model.start": "x"}, "model.preset: .*no effect beside model.start"),
]
WITH_NETWORK = [
    ({"loss.steps": 2}, "loss.steps: needs model.action.mask: isolated"),
    ({"loss.steps": CHUNK + 1, "model.action.mask": "isolated"}, "loss.steps: 5 of a chunk of 4"),
    ({"loss.steps": 2, "model.action": {**GRADUAL, "mask": "isolated"}}, "loss.steps: no effect"),
    ({"model.action": TOKENS, "loss.l1": 1.0}, "loss.l1: no effect: .*heads are tokens"),
    ({"model.action": {"heads": ["l1"]}, "loss.tokens": 1.0}, "loss.tokens: no effect"),
    ({"model.action": {**TOKENS, "l1_width": 8}}, "model.action.l1_width: no effect"),
    ({"loss.l1": 0.0}, "loss.l1: 0, but the network answers with its l1 head"),
    ({"model.action": TOKENS, "loss.tokens": 0.0}, "loss.tokens: 0, but the network answers"),
    (
        {"model.action.decode": "autoregressive"},
        "teaches the tokens head alone.*heads: \\[tokens\\]",
    ),
    ({"model.action": GRADUAL, "loss.tokens": 0.5}, "loss.tokens: no effect with decode"),
    ({"model.action": GRADUAL, "loss.l1": 1.0}, "loss.l1: no effect with decode"),
    (
        {"model.action": {**TOKENS, "normalization": "mean_std"}},
        "model.action.normalization: mean_std leaves numbers outside",
    ),
    ({"model.action.decode": "released"}, "released teaches the tokens head alone"),
]
WITH_DATA = [
    ({"data.instructions": 2}, "data.instructions: 2: no dataset .plain_set. has counterfactual"),
    ({"loss.grounding": 0.5}, "loss.grounding: 0.5: no dataset .plain_set. says where things are"),
    ({"datasets.0.val_split": "vla"}, "val_split: dataset 'plain_set' has no episodes in 'vla'"),
    ({"datasets.0.split": "val", "datasets.0.val_split": "test"}, "no episodes in 'test'"),
]


@pytest.mark.parametrize(("changes", "message"), ALONE)
def test_what_the_file_alone_shows(settings, changes, message):
    with pytest.raises(TrainingError, match=f"x.yaml: {message}"):
        parse_config(changed(settings, changes), "x.yaml")


@pytest.mark.parametrize(("changes", "message"), WITH_NETWORK + WITH_DATA)
def test_what_the_network_and_the_data_show(settings, changes, message):
    config = parse_config(changed(settings, changes), "x.yaml")
    with pytest.raises(TrainingError, match=message):
        build(config)


@pytest.mark.parametrize(
    "changes",
    [
        {"model.action": {**TOKENS, "mask": "isolated"}, "loss.steps": 3, "loss.l1": 0.0},
        {"model.action": GRADUAL, "loss.l1": 0.0, "loss.tokens": 1.0},
        {"model.action": {"heads": ["l1"], "l1_width": 8}, "freeze": ["vision", "llm_but_last"]},
        {"cache_features": True, "freeze": ["vision"], "features": "shared"},
        {"lora.rank": 2, "lora.alpha": 4.0, "data.proprio_dropout": 0.2, "data.augment": True},
    ],
)
def test_what_goes_together_is_built(settings, changes):
    assert build(parse_config(changed(settings, changes), "x.yaml")).model is not None


def test_sharding_needs_several_processes(settings):
    settings["distributed"] = "fsdp"
    with pytest.raises(TrainingError, match="fsdp has no effect in one process"):
        train(parse_config(settings, "x.yaml"))


def test_nothing_held_out_is_said_and_leaves_nothing_to_set(settings, tmp_path):
    from small_training import write_dataset

    few = write_dataset(tmp_path, "few", episodes=1)
    settings["datasets"] = [{"path": str(few)}]
    with pytest.raises(TrainingError, match=r"eval_every: no effect: no dataset .few. holds"):
        build(parse_config(settings, "x.yaml"))
    for key in ("eval_every", "eval_batches"):
        del settings[key]
    assert any("nothing is held out" in n for n in build(parse_config(settings, "x.yaml")).notes)


@pytest.fixture
def started(settings, tmp_path):
    """Settings of a run that goes on from a checkpoint of the tiny network."""
    parts = build(parse_config(settings, "x.yaml"))
    folder = save_checkpoint(
        tmp_path / "start", parts.model, parts.tokenizer, parts.statistics, parts.embodiment_text
    )
    return {**settings, "model": {"start": str(folder)}}


@pytest.mark.parametrize(
    ("changes", "fresh"),
    [
        ({"mask": "isolated"}, ""),
        ({"decode": "autoregressive", "heads": ["tokens"], "output": "tokens"}, ""),
        ({"heads": ["l1"]}, ""),
        ({"output": "tokens"}, ""),
        ({"normalization": "min_max"}, ""),
        ({"l1_width": 16}, "l1_head"),
    ],
)
def test_a_started_network_follows_the_action_settings(started, changes, fresh):
    old = load_checkpoint(started["model"]["start"])
    started["model"]["action"] = changes
    parts = build(parse_config(started, "x.yaml"))
    made = parts.model.config.action.model_dump(mode="json")
    assert made == {**old.config.action.model_dump(mode="json"), **changes}
    known = dict(old.model.named_parameters())
    kept = {n: p for n, p in parts.model.named_parameters() if not fresh or fresh not in n}
    assert all(torch.equal(known[name], parameter) for name, parameter in kept.items())
    assert any("changes what the checkpoint" in note for note in parts.notes)
    assert parts.origin.endswith(f"RANDOM, because the robot or its heads differ: {fresh}") is bool(
        fresh
    )


def test_a_head_that_a_started_network_never_had_is_said_to_be_new(settings, tmp_path):
    settings["model"]["action"] = TOKENS
    settings["optimizer"] = {"steps": 1, "batch": 2}
    first = train(parse_config(settings, "x.yaml")) / "last"
    both = {"heads": ["tokens", "l1"], "output": "l1"}
    model = {"start": str(first), "action": both}
    origin = build(parse_config({**settings, "model": model}, "x.yaml")).origin
    assert origin.endswith("differ: l1_head")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"action": {"bins": 128}}, r"model.action.bins: 128 cannot be had .* trained with 256"),
        ({"action": {"vocabulary_size": 500}}, "model.action.vocabulary_size: 500 cannot be had"),
        ({"action": {"heads": ["tokens"]}}, "output 'l1' is not one of the heads"),
        ({"action": {"decode": "autoregressive"}}, "teaches the tokens head alone"),
        ({"cameras": ["overhead"]}, "has no camera 'overhead'"),
        ({"start": "nowhere"}, "checkpoint folder 'nowhere' does not exist"),
    ],
)
def test_what_a_started_network_cannot_follow_is_refused(started, changes, message):
    started["model"].update(changes)
    with pytest.raises(EvlaError, match=message):
        build(parse_config(started, "x.yaml"))


def test_another_chunk_begins_with_new_slots_and_says_so(started, tmp_path):
    robot = tmp_path / "robot.yaml"
    robot.write_text(small_robot().text.replace(f"chunk: {CHUNK}", "chunk: 2"))
    origin = build(parse_config({**started, "embodiment": str(robot)}, "x.yaml")).origin
    assert (
        "RANDOM, because the robot or its heads differ: slot_embedding (4 x 7 -> 2 x 7)" in origin
    )


def test_encoders_of_another_network_are_refused(started, tmp_path):
    from safetensors.torch import save_file

    save_file({"0.nothing": torch.zeros(1)}, tmp_path / "vision.safetensors")
    started["model"]["vision"] = str(tmp_path / "vision.safetensors")
    with pytest.raises(TrainingError, match=r"model.vision: .* does not hold the encoders of tiny"):
        build(parse_config(started, "x.yaml"))


def test_a_run_of_an_older_version_goes_on_and_hears_what_it_ignores(settings, tmp_path, capsys):
    file = tmp_path / "train.json"
    old = parse_config(settings, "x.yaml").model_dump(mode="json")
    old["model"]["action"] = {"mask": "isolated", "chunk": 3}
    old["features"] = "shared"
    import json

    file.write_text(json.dumps(old))
    config = load_config(file, resume=True)
    assert (config.model.chunk, config.model.action.mask) == (3, "isolated")
    assert "features: no effect" in capsys.readouterr().err
    with pytest.raises(TrainingError, match="command line, 'lora.alpha=4'"):
        load_config(file, ["lora.alpha=4"], resume=True)
