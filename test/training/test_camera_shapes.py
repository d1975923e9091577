# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sizes of cameras go from a dataset into the checkpoint; a robot with others is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from small_training import write_dataset

from evla_ros.embodiment import load_embodiment, parse_embodiment
from evla_ros.model.checkpoint import load_checkpoint
from evla_ros.policy.errors import PolicyError
from evla_ros.policy.evla_policy import EvlaPolicy
from evla_ros.policy.types import Observation
from evla_ros.training.config_file import parse_config
from evla_ros.training.parts import build
from evla_ros.training.train import train


def with_cameras(dataset, target, size):
    """Return a copy of a dataset whose primary camera was recorded in a size."""
    shutil.copytree(dataset.parent, target / dataset.parent.name)
    copy = target / dataset.parent.name / dataset.name
    (copy / "cameras.json").write_text(json.dumps({"primary": [size]}))
    return copy


def look(height, width):
    arm = load_embodiment("tabletop_arm")
    images = {name: np.full((height, width, 3), 90, np.uint8) for name in arm.cameras}
    return Observation(1, images, np.zeros(8, np.float32), "reach the red block")


def test_a_robot_with_another_aspect_ratio_is_refused(settings, plain_dataset, tmp_path):
    dataset = with_cameras(plain_dataset, tmp_path / "wide", [480, 640])
    settings["datasets"] = [{"path": str(dataset)}]
    settings["optimizer"]["steps"] = 2
    folder = Path(train(parse_config(settings, "test")))
    checkpoint = next(path.parent for path in folder.rglob("cameras.json"))
    loaded = load_checkpoint(checkpoint)
    assert loaded.cameras == {"primary": ((480, 640),)}
    robot = parse_embodiment(loaded.embodiment_text, source="the checkpoint")
    policy = EvlaPolicy(str(checkpoint), robot)
    black = {name: np.zeros_like(image) for name, image in look(180, 320).images.items()}
    first = replace(look(180, 320), images=black)  # as a node asks before it has heard a camera
    assert policy.infer(first).actions.shape[1] == 7
    assert policy.infer(look(240, 320)).actions.shape[1] == 7
    with pytest.raises(PolicyError) as caught:
        policy.infer(look(180, 320))
    assert str(caught.value).startswith(
        "camera primary is 320x180 (1.78:1) in the robot's images and 640x480 (1.33:1) in the "
        "training data"
    )


def test_training_on_two_aspect_ratios_is_said(settings, tmp_path):
    paths = [write_dataset(tmp_path / "sets", name) for name in ("narrow", "wide")]
    for path, size in zip(paths, ([480, 640], [360, 640]), strict=True):
        (path / "cameras.json").write_text(json.dumps({"primary": [size]}))
    settings["datasets"] = [{"path": str(path)} for path in paths]
    (note,) = [n for n in build(parse_config(settings, "test")).notes if "stretched" in n]
    assert "camera primary is 640x360 (1.78:1) in" in note
