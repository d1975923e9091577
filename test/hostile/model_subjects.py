# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoints, training files and presets to spoil, of a network of a few thousand weights."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from dataset_subjects import dataset
from mutations import NASTY_TEXT, Random, spoil_bytes, spoil_json, spoil_yaml
from subject import Call, Subject, evla, replace_file

from evla_ros.embodiment import load_embodiment
from evla_ros.model.checkpoint import save_checkpoint
from evla_ros.model.config import parse_config
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.safe_files import sha256
from evla_ros.model.text_tokenizer import train_tokenizer

WEIGHTS, HASHES = "model.safetensors", "checksums.json"


def preset() -> dict[str, Any]:
    """Return a small network with every part of the real one, for tabletop_arm."""
    vision = {"hidden_size": 16, "depth": 2, "heads": 2, "mlp_size": 32, "patch_size": 12}
    scale = {"mean": [0.5] * 3, "std": [0.5] * 3}
    return {
        "name": "tiny",
        "backbones": [
            {"kind": "dinov2", "register_tokens": 2, **vision, **scale},
            {"kind": "siglip", "stem": "conv", **vision, **scale},
        ],
        "image": {"size": 24, "cameras": ["primary", "wrist"]},
        "projector": "gelu-mlp",
        "language_model": {
            "family": "qwen2", "vocabulary_rows": 576, "hidden_size": 32, "layers": 2, "heads": 4,
            "key_value_heads": 2, "mlp_size": 48,
        },
        "action": {"chunk": 8, "dim": 7, "vocabulary_size": 576, "heads": ["tokens", "l1"],
                   "l1_width": 32},
        "prompt": {"prefix_ids": [0], "max_tokens": 48},
        "proprio_dim": 8,
    }  # fmt: skip


def _entry(size: int) -> dict[str, Any]:
    low, high = [-1.0] * size, [1.0] * size
    names = {"mean": [0.0] * size, "std": [0.5] * size, "min": low, "max": high}
    return {**names, "q01": low, "q99": high, "mask": [True] * size}


def checkpoint(folder: Path) -> Path:
    """Save a checkpoint of random weights."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = EvlaModel(parse_config(preset(), "tiny")).eval()
    tokenizer = train_tokenizer(["In: What action should the robot take?\nOut:"], 300)
    statistics = DatasetStatistics({"my_robot": {"action": _entry(7), "proprio": _entry(8)}})
    text = load_embodiment("tabletop_arm").text
    dataset(folder / "data")
    return save_checkpoint(folder / "checkpoint", model, tokenizer, statistics, text)


def spoil_checkpoint(folder: Path, random: Random) -> None:
    """Spoil one file; mostly the recorded hashes are then made right again."""
    kinds = {
        "config.json": (0.3, spoil_json),
        "dataset_statistics.json": (0.15, spoil_json),
        "tokenizer.json": (0.2, spoil_json),
        "embodiment.yaml": (0.08, spoil_yaml),
        WEIGHTS: (0.2, _spoil_weights),
        HASHES: (0.07, spoil_json),
    }
    names = list(kinds)
    name = names[random.choice(len(names), p=[kinds[n][0] for n in names])]
    path = folder / name
    path.write_bytes(kinds[name][1](path.read_bytes(), random))
    if name != HASHES and random.random() < 0.9:
        recorded = json.loads((folder / HASHES).read_text())
        (folder / HASHES).write_text(json.dumps({n: sha256(folder / n) for n in recorded}))
    if random.random() < 0.05:
        replace_file(folder / names[random.integers(len(names))], random)


def _spoil_weights(data: bytes, random: Random) -> bytes:
    """Spoil the header of a safetensors file as JSON, its bytes, or its numbers."""
    size = struct.unpack("<Q", data[:8])[0]
    header, numbers = data[8 : 8 + size], data[8 + size :]
    kind = random.random()
    if kind < 0.4:
        header = spoil_json(header, random)
        return struct.pack("<Q", len(header)) + header + numbers
    if kind < 0.6:
        return spoil_bytes(data, random)
    words = np.frombuffer(numbers, np.float32).copy()
    values = (np.nan, np.inf, -np.inf, 1e38, -1e38, 1e30, 0.0)
    value = values[random.integers(len(values))]
    start = int(random.integers(len(words)))
    words[start : start + int(random.integers(1, 3000))] = value
    return data[: 8 + size] + words.tobytes()


def checkpoint_calls(folder: Path, out: Path) -> Sequence[Call]:
    """Return what loads a checkpoint: the policy of the node, evaluation, and export."""
    data = folder.parent / "data" / "my_robot"
    return (
        lambda: _serve(folder),
        evla("eval", "offline", "--policy", folder, "--dataset", data, "--frames", 2),
        evla("export", folder, out / "exported"),
    )


def _serve(folder: Path) -> None:
    """Build the policy as the node does on configure, and let it answer."""
    from evla_ros.policy.spec import PolicySpec, build_policy
    from evla_ros.policy.types import Observation

    robot = load_embodiment("tabletop_arm")
    policy = build_policy(PolicySpec("evla", robot.text, str(folder)))
    frames = {name: np.full((32, 32, 3), 90, np.uint8) for name in robot.cameras}
    chunk = policy.infer(Observation(1, frames, np.zeros(8, np.float32), "reach the red block"))
    if not np.isfinite(chunk.actions).all():
        raise AssertionError("the policy answers with numbers that are not finite")


def training(folder: Path) -> Path:
    """Write a training file with its dataset and preset beside it."""
    torch.set_num_threads(1)
    dataset(folder)
    (folder / "preset.yaml").write_text(yaml.safe_dump(preset()))
    content = {
        "output": "run",
        "datasets": [{"path": "my_robot", "split": "train"}],
        "model": {"preset": "preset.yaml", "cameras": ["primary", "wrist"], "chunk": 8},
        "optimizer": {"steps": 2, "batch": 4, "learning_rate": 1e-3, "warmup_steps": 1},
        "loss": {"l1": 1.0, "tokens": 0.5},
        "log_every": 1,
        "seed": 3,
    }
    (folder / "train.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    (folder / "words.json").write_text("[]")
    return folder


def spoil_training(folder: Path, random: Random) -> None:
    """Spoil the training file, the preset, or words of the command line."""
    kind = random.random()
    words = []
    if kind < 0.5:
        path = folder / "train.yaml"
        path.write_bytes(spoil_yaml(path.read_bytes(), random))
    elif kind < 0.8:
        path = folder / "preset.yaml"
        path.write_bytes(spoil_yaml(path.read_bytes(), random))
    else:
        word = WORDS[random.integers(len(WORDS))].encode()
        spoiled = spoil_bytes(word, random) if random.random() < 0.5 else _nasty(word, random)
        text = spoiled.decode("utf-8", "surrogateescape").replace("\0", "")
        words = [text * int(random.integers(1, 200)) if random.random() < 0.1 else text]
    (folder / "words.json").write_text(json.dumps(words))


WORDS = (
    "optimizer.steps=2", "model.cameras=[primary]", "datasets.0.weight=2", "loss.tokens=0.1",
    "model.action.heads=[l1]", "lora.rank=2", "freeze=[vision]", "output=other", "seed=1",
)  # fmt: skip


def _nasty(word: bytes, random: Random) -> bytes:
    key, _, _ = word.partition(b"=")
    return key + b"=" + NASTY_TEXT[random.integers(len(NASTY_TEXT))]


def training_calls(folder: Path, out: Path) -> Sequence[Call]:
    """Return what opens a training file: everything of `evla train finetune` before step one."""
    return (lambda: _build(folder),)


def _build(folder: Path) -> None:
    import os

    from evla_ros.training.command_line import Request, requested_config
    from evla_ros.training.parts import build

    os.chdir(folder)
    words = json.loads((folder / "words.json").read_text())
    build(requested_config(Request(("train.yaml", *words))))


MODELS = (
    Subject("checkpoint", checkpoint, spoil_checkpoint, checkpoint_calls),
    Subject("training", training, spoil_training, training_calls),
)
