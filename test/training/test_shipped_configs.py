# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The configurations that ship load strictly, and each of their settings has an effect."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from evla_ros.model.presets import load_preset
from evla_ros.training.config import TrainConfig
from evla_ros.training.config_file import load_config, load_settings
from evla_ros.training.model_changes.transplant import adapted_config
from evla_ros.training.pretrain_config import PretrainConfig
from evla_ros.training.unused_settings import unused_with_network

FOLDER = Path(__file__).resolve().parents[2] / "config" / "training"
PHASE_1 = {"evla_1b_align": "align", "evla_1b_vlm": "finetune"}
PHASE_2 = sorted({file.stem for file in FOLDER.glob("*.yaml")} - set(PHASE_1))
NETWORKS = {
    "openvla_7b_bridge": "openvla-7b",
    "evla_1b_bridge": "evla-1b",
    "evla_1b_oxe": "evla-1b",
}


@pytest.mark.parametrize("name", PHASE_1)
def test_phase_1_follows_the_published_recipe(name):
    config = load_settings(PretrainConfig, FOLDER / f"{name}.yaml")
    assert config.stage == PHASE_1[name]
    settings = config.optimizer
    published = {"align": (1e-3, 0.0, 256, 1), "finetune": (2e-5, 0.1, 128, 2)}[config.stage]
    taken = (settings.learning_rate, settings.weight_decay, settings.batch, settings.epochs)
    assert taken == published
    assert (settings.warmup_share, settings.schedule, settings.clip_norm) == (0.03, "cosine", 1.0)
    assert config.data.max_length == 2048


@pytest.mark.parametrize("name", PHASE_2)
def test_phase_2_has_no_setting_without_effect(name):
    config = load_config(FOLDER / f"{name}.yaml")
    preset = NETWORKS.get(name, config.model.preset or "evla-nano")
    network = adapted_config(
        load_preset(preset),
        chunk=config.model.chunk or 8,
        dim=7,
        cameras=config.model.cameras or ("primary",),
        proprio_dim=8 if config.model.proprio else 0,
        action=config.model.action.model_dump(exclude_none=True),
    )
    assert list(unused_with_network(config, network)) == []


@pytest.mark.parametrize("name", NETWORKS)
def test_the_papers_setting_is_that_of_the_paper(name):
    config = load_config(FOLDER / f"{name}.yaml")
    settings = config.optimizer
    assert (config.model.chunk, config.model.proprio) == (1, False)
    assert (settings.learning_rate, settings.schedule, settings.warmup_steps) == (
        2e-5,
        "constant",
        0,
    )
    assert settings.weight_decay == 0
    joint = name != "openvla_7b_bridge"
    assert config.model.action.decode == ("joint" if joint else "autoregressive")
    assert config.freeze == (("vision",) if joint else ())
    assert config.distributed == ("ddp" if joint else "fsdp")


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yaml")), ids=lambda file: file.stem)
def test_an_unknown_key_is_refused_in_each(file, tmp_path):
    kind = PretrainConfig if file.stem in PHASE_1 else TrainConfig
    data = yaml.safe_load(file.read_text())
    data["optimizer"] = {**data.get("optimizer", {}), "lerning_rate": 1}
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(yaml.safe_dump(data))
    with pytest.raises(Exception, match="optimizer.lerning_rate: unknown key; did you mean"):
        load_settings(kind, wrong)
