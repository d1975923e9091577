# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A small dataset on disk, a tiny model preset, and a training configuration over both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from evla_ros.data.episode import Episode, rlds_flags
from evla_ros.data.image_jpeg import encode_jpeg
from evla_ros.data.rlds.features import features_for_embodiment, scalar, tensor, text
from evla_ros.data.rlds.writer import DatasetWriter
from evla_ros.embodiment import (
    Embodiment,
    action_layout,
    load_embodiment,
    parse_embodiment,
    proprio_layout,
)
from evla_ros.model.checkpoint import save_checkpoint
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.presets import load_preset
from evla_ros.model.text_tokenizer import train_tokenizer

COLOURS = {"red": (200, 30, 30), "blue": (30, 30, 200)}
LENGTH, CHUNK = 9, 4
CONTINUOUS = {"heads": ["l1"], "output": "l1", "mask": "bidirectional", "decode": "joint"}


@pytest.fixture(autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def make_episode(number: int, *, relabels: bool, robot: Embodiment | None = None) -> Episode:
    """A red block left and a blue one right; the action moves towards the named one.

    What a robot has beside its arm moves at random: its base by metres, its axes by centimetres.
    """
    rng = np.random.default_rng(number)
    order = list(COLOURS)
    own = order[int(rng.integers(2))]
    image = np.full((48, 48, 3), 120, dtype=np.uint8)
    for side, colour in enumerate(order):
        image[16:32, 8 + 24 * side : 20 + 24 * side] = COLOURS[colour]
    way = {colour: -1.0 if side == 0 else 1.0 for side, colour in enumerate(order)}
    action = np.zeros((LENGTH, 7), dtype=np.float32)
    action[:, 0] = way[own] * 0.02
    action[:, 1] = np.linspace(-0.01, 0.01, LENGTH)
    action[:, 6] = np.arange(LENGTH) % 2
    state = rng.normal((0.45, 0, 0.3, 0, 0, 0, 1, 0.5), 0.05, (LENGTH, 8)).astype(np.float32)
    state[:, 3:7] /= np.linalg.norm(state[:, 3:7], axis=1, keepdims=True)
    columns = dict(rlds_flags(LENGTH, terminal=True))
    if robot is not None:
        more = action_layout(robot).size - 7, proprio_layout(robot).size - 8
        moves, seen = (np.float32(rng.uniform(0.1, 0.3, (LENGTH, count))) for count in more)
        seen[:, 3:5] *= 20  # x and y of the base
        action, state = np.hstack([action, moves]), np.hstack([state, seen])
    if relabels:
        other = next(c for c in COLOURS if c != own)
        chunk = np.zeros((LENGTH, CHUNK, 7), dtype=np.float32)
        chunk[..., 0] = way[other] * 0.02
        columns["relabel_instruction_0"] = np.array([f"reach the {other} block"] * LENGTH, object)
        columns["relabel_actions_0"] = chunk
        steps = np.where(np.arange(LENGTH) % 2 == 0, CHUNK, 0).astype(np.int32)
        columns["relabel_steps_0"] = steps
    jpeg = encode_jpeg(image)
    return Episode(
        images={"image_primary": [jpeg] * LENGTH, "image_wrist": [jpeg] * LENGTH},
        observations={"state": state},
        action=action,
        instructions=[f"reach the {own} block"] * LENGTH,
        columns=columns,
        metadata={"episode_id": f"episode-{number}", "success": True},
    )


def small_robot() -> Embodiment:
    """Return the tabletop arm with chunks of four."""
    text = load_embodiment("tabletop_arm").text
    assert "chunk: 8" in text
    return parse_embodiment(text.replace("chunk: 8", f"chunk: {CHUNK}"), source="small robot")


def small_driving_robot() -> Embodiment:
    """Return a base with a lift and an arm, its topics absolute; poses by TF, gripper by joints."""
    tree = yaml.safe_load(load_embodiment("mobile_manipulator").text)
    (arm,) = tree["arms"]
    arm["pose"] = {"tf": ["arm_mount", "tool0"], "max_age_s": 0.2}
    arm["gripper"] |= {
        "state": "/joint_states", "state_type": "joint_state", "state_joint": "finger",
    }  # fmt: skip
    tree["base"]["odometry"] = tree["base"]["odometry"].replace("odom", "/odom")
    tree["axes"][0]["state"] = "/joint_states"
    tree["action"]["chunk"] = CHUNK
    return parse_embodiment(yaml.safe_dump(tree), source="small driving robot")


def write_dataset(
    root: Path,
    name: str,
    episodes: int = 8,
    *,
    relabels: bool = False,
    robot: Embodiment | None = None,
) -> Path:
    embodiment = robot or small_robot()
    columns = {}
    if relabels:
        columns = {
            "relabel_instruction_0": text(),
            "relabel_actions_0": tensor((CHUNK, 7)),
            "relabel_steps_0": scalar("int32"),
        }
    features = features_for_embodiment(embodiment, 48, columns)
    layout = action_layout(embodiment)
    with DatasetWriter(
        root, name, features, embodiment_text=embodiment.text, action_layout=layout
    ) as writer:
        for number in range(episodes):
            writer.add(make_episode(number, relabels=relabels, robot=robot))
    return writer.report.path


@pytest.fixture(scope="session")
def plain_dataset(tmp_path_factory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("rlds"), "plain_set")


@pytest.fixture(scope="session")
def relabelled_dataset(tmp_path_factory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("rlds"), "relabelled_set", relabels=True)


@pytest.fixture(scope="session")
def tiny_preset(tmp_path_factory) -> Path:
    """A model of a few thousand parameters with every part of the real one."""
    vision = {"hidden_size": 16, "depth": 2, "heads": 2, "mlp_size": 32, "patch_size": 12}
    preset = {
        "name": "tiny",
        "backbones": [
            {"kind": "dinov2", **vision, "mean": [0.5] * 3, "std": [0.5] * 3, "stem": "conv"},
            {"kind": "siglip", **vision, "mean": [0.5] * 3, "std": [0.5] * 3},
        ],
        "image": {"size": 48, "cameras": ["primary"]},
        "projector": "gelu-mlp",
        "language_model": {
            "family": "qwen2", "vocabulary_rows": 576, "hidden_size": 32, "layers": 2, "heads": 4,
            "key_value_heads": 2, "mlp_size": 64, "rope_theta": 10000.0, "max_positions": 512,
        },
        "action": {
            "chunk": CHUNK, "dim": 7, "vocabulary_size": 576, "heads": ["tokens", "l1"],
            "output": "l1", "l1_width": 32, "mask": "block_prefix_lm",
        },
        "prompt": {"template": "In: {instruction}?\nOut:", "prefix_ids": [0], "max_tokens": 48},
    }  # fmt: skip
    path = tmp_path_factory.mktemp("preset") / "tiny.yaml"
    path.write_text(yaml.safe_dump(preset))
    return path


def write_imported(folder, preset, decode="autoregressive", untrained=()):
    """A checkpoint as the importers leave it: one step, tokens alone, slots never used."""
    action = {"heads": ["tokens"], "output": "tokens", "decode": decode, "mask": "isolated"}
    config = load_preset(preset, chunk=1, dim=7, action=action)
    torch.manual_seed(3)
    model = EvlaModel(config.model_copy(update={"untrained": tuple(untrained)}))
    with torch.no_grad():
        model.slot_embedding.zero_()
    tokenizer = train_tokenizer(["reach the red block", "reach the blue block"], 300)
    save_checkpoint(folder, model, tokenizer, DatasetStatistics({}))
    return folder


def small_settings(output: Path, dataset: Path, preset: Path) -> dict:
    """Return a configuration as plain data, for `parse_config`."""
    return {
        "output": str(output),
        "datasets": [{"path": str(dataset)}],
        "model": {"preset": str(preset), "cameras": ["primary"], "attention": "sdpa"},
        "optimizer": {
            "steps": 6,
            "batch": 4,
            "learning_rate": 3e-3,
            "warmup_steps": 2,
            "precision": "fp32",
        },
        "log_every": 1,
        "eval_every": 3,
        "eval_batches": 1,
        "save_every": 2,
    }


@pytest.fixture
def settings(tmp_path, plain_dataset, tiny_preset) -> dict:
    """A configuration as plain data; tests change it and hand it to `parse_config`."""
    return small_settings(tmp_path / "run", plain_dataset, tiny_preset)
