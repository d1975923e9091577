# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read everything that the package finds by default, and print where each lies, as JSON.

Tests of installations run it in an interpreter that has only the installed package.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import evla_ros
from evla_ros import shared_files
from evla_ros.data.bags.definitions import definition_of
from evla_ros.embodiment import load_embodiment
from evla_ros.model.presets import load_preset, preset_names
from evla_ros.policy.shipped import shipped_checkpoint
from evla_ros.policy.spec import PolicySpec, build_policy
from evla_ros.training.config import TrainConfig
from evla_ros.training.config_file import load_settings
from evla_ros.training.pretrain_config import PretrainConfig


def package() -> Iterator[Path]:
    """The package's own code."""
    yield Path(evla_ros.__file__)


def embodiments() -> Iterator[Path]:
    """Every shipped robot."""
    for path in sorted(shared_files.embodiments_folder().glob("*.yaml")):
        assert load_embodiment(path.stem).name == path.stem
        yield path


WITHOUT_POLICY = {"mobile_manipulator"}


def checkpoints() -> Iterator[Path]:
    """The policies that ship, loaded as the policy node does it."""
    for path in embodiments():
        embodiment = load_embodiment(path.stem)
        folder = shipped_checkpoint(embodiment)
        if folder is None and path.stem in WITHOUT_POLICY:
            continue
        assert folder is not None, f"no checkpoint ships for {path.stem}"
        assert build_policy(PolicySpec("evla", embodiment.text)).chunk_length > 0
        yield folder


def models() -> Iterator[Path]:
    """Every preset of the network."""
    for name in preset_names():
        load_preset(name)
        yield shared_files.models_folder() / f"{name}.yaml"


def trainings() -> Iterator[Path]:
    """Every shipped training configuration."""
    for path in sorted(shared_files.shared_file("config", "training").glob("*.yaml")):
        kind = PretrainConfig if "conversations:" in path.read_text("utf-8") else TrainConfig
        load_settings(kind, shared_files.training_config(path.stem))
        yield path


def node_parameters() -> Iterator[Path]:
    """The parameter file of every node."""
    for node in ("policy", "recorder", "sim", "teleop"):
        path = shared_files.node_parameters(node)
        assert "ros__parameters" in path.read_text(encoding="utf-8")
        yield path


def dds_profile() -> Iterator[Path]:
    """The profile for large images."""
    path = shared_files.large_images_profile()
    assert "fastdds" in path.read_text(encoding="utf-8").lower()
    yield path


def interfaces() -> Iterator[Path]:
    """Every message and service definition; those of messages are parsed, as bags need them."""
    for kind in ("msg", "srv"):
        for path in shared_files.interface_files(kind):
            if kind == "msg":
                assert definition_of(f"evla_ros/msg/{path.stem}").type_hash
            yield path


def version() -> Iterator[Path]:
    """The file that has the version."""
    path = shared_files.shared_file("package.xml")
    assert f"<version>{evla_ros.__version__}</version>" in path.read_text(encoding="utf-8")
    yield path


if __name__ == "__main__":
    groups = (
        package, embodiments, checkpoints, models, trainings, node_parameters, dds_profile,
        interfaces, version,
    )  # fmt: skip
    found = {group.__name__: [str(path) for path in group()] for group in groups}
    print(json.dumps(found))
