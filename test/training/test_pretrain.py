# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Phase 1: conversations become token rows, and pictures decide the answers that are learned."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.errors import EvlaError
from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.model.text_tokenizer import train_tokenizer
from evla_ros.training.config import OptimizerSettings
from evla_ros.training.pretrain import PretrainConfig, pretrain, trainable
from evla_ros.training.samples.conversations import encode, pad, read_conversations


@pytest.fixture
def captions(tmp_path):
    items = []
    for name, colour in {"red": (200, 20, 20), "blue": (20, 20, 200)}.items():
        image = np.full((48, 48, 3), colour, dtype=np.uint8)
        (tmp_path / f"{name}.jpg").write_bytes(encode_jpeg(image))
        turns = [
            {"from": "human", "value": "<image>\nwhat colour?"},
            {"from": "gpt", "value": name},
        ]
        items.append({"id": name, "image": f"{name}.jpg", "conversations": turns})
    path = tmp_path / "captions.json"
    path.write_text(json.dumps(items))
    return path


def test_only_answers_are_learned(captions):
    tokenizer = train_tokenizer(["In: what colour?\nOut: red\n"] * 3, 300)
    ids, learned = encode(read_conversations(captions)[0], tokenizer, (0,), 64)
    assert tokenizer.decode([i for i, keep in zip(ids, learned, strict=True) if keep]) == " red\n"
    assert ids[0] == 0
    _, lengths, mask = pad([(ids, learned), (ids[:4], learned[:4])])
    assert lengths.tolist() == [len(ids), 4]
    assert not mask[1].any()


def test_the_picture_decides_the_answer(captions, tiny_preset, tmp_path):
    config = PretrainConfig(
        str(tmp_path / "vlm"),
        (str(captions),),
        preset=str(tiny_preset),
        vision=True,
        optimizer=OptimizerSettings(steps=80, batch=8, learning_rate=5e-3, warmup_steps=5),
    )
    folder = pretrain(config)
    entries = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert entries[-1]["token_accuracy"] == 1.0
    assert entries[-1]["loss"] < 0.1 * entries[0]["loss"]
    assert load_checkpoint(folder).config.name == "tiny"
    with pytest.raises(EvlaError, match="exists"):
        pretrain(config)


def test_align_moves_the_projector_alone(captions, tiny_preset, tmp_path):
    base = pretrain(
        PretrainConfig(
            str(tmp_path / "a"),
            (str(captions),),
            preset=str(tiny_preset),
            optimizer=OptimizerSettings(steps=1, batch=2),
        )
    )
    aligned = pretrain(
        PretrainConfig(
            str(tmp_path / "b"),
            (str(captions),),
            stage="align",
            start=str(base),
            optimizer=OptimizerSettings(steps=3, batch=2),
        )
    )
    before, after = (dict(load_checkpoint(f).model.named_parameters()) for f in (base, aligned))
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert changed == {"projector"}
    with pytest.raises(EvlaError, match="unknown stage"):
        trainable(load_checkpoint(base).model, "warm", vision=False)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "holds no conversations"),
        ("{", "not a readable JSON"),
        ('[{"image": "x.jpg"}]', "item 0 lacks"),
        (
            '[{"image": "x.jpg", "conversations": [{"value": "a"}, {"value": "b"}]}]',
            "does not exist",
        ),
        ('[{"image": "x.jpg", "conversations": [{"value": "a"}, {"value": " "}]}]', "empty answer"),
    ],
)
def test_malformed_files_name_the_item(tmp_path, text, message):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(EvlaError, match=message):
        read_conversations(path)
