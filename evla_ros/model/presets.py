# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Named model configurations (`config/models/*.yaml`), adapted to a robot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from evla_ros.errors import nearest, shorten
from evla_ros.model.config import EvlaConfig, parse_config
from evla_ros.model.errors import ModelConfigError
from evla_ros.reading.text_files import is_file
from evla_ros.reading.yaml_files import read_yaml
from evla_ros.shared_files import models_folder


def preset_names() -> list[str]:
    """Return the names of the shipped presets, sorted."""
    return sorted(file.stem for file in models_folder().glob("*.yaml"))


def load_preset(
    name_or_path: str | Path,
    *,
    chunk: int | None = None,
    dim: int | None = None,
    cameras: Sequence[str] | None = None,
    proprio_dim: int | None = None,
    arm_columns: Sequence[Sequence[int]] | None = None,
    action: dict[str, Any] | None = None,
    center_crop: bool | None = None,
) -> EvlaConfig:
    """Load a preset; the keywords replace what depends on the robot.

    Args:
        name_or_path: `evla-1b`, `evla-nano`, ..., or the path of a YAML file.
        chunk: actions per chunk (K).
        dim: numbers per action (D).
        cameras: camera names, in the order in which their patches follow each other.
        proprio_dim: numbers of the proprio vector (P); 0: no proprio token.
        arm_columns: for several arms, which numbers of the proprio vector belong to each.
        action: further fields of `ActionConfig`, such as `{"mask": "isolated"}`.
        center_crop: whether the network is served the centre of each picture.

    Raises:
        ModelConfigError: no such preset, or a setting that it cannot have.
    """
    path = _find(name_or_path)
    data = read_yaml(path, ModelConfigError, aliases=True)
    if not isinstance(data, dict):
        raise ModelConfigError(f"{path}: a model preset is a mapping, not {type(data).__name__}")
    changes = {"chunk": chunk, "dim": dim, **(action or {})}
    image = {"cameras": cameras and tuple(cameras), "center_crop": center_crop}
    for section, given in (("action", _given(changes)), ("image", _given(image))):
        inside = data.get(section, {})
        if not isinstance(inside, dict):
            raise ModelConfigError(f"{path}: {section}: is no mapping of settings")
        data[section] = {**inside, **given}
    data.update(_given({"proprio_dim": proprio_dim, "arm_columns": arm_columns}))
    return parse_config(data, str(path))


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _find(name_or_path: str | Path) -> Path:
    path, named = Path(name_or_path), shorten(repr(str(name_or_path)), 300)
    if path.suffix in {".yaml", ".yml"}:
        if is_file(path):
            return path
        raise ModelConfigError(f"model preset {named} does not exist")
    candidate = models_folder() / f"{name_or_path}.yaml"
    if is_file(candidate):
        return candidate
    raise ModelConfigError(
        f"unknown model preset {named}; {nearest(str(name_or_path), preset_names())}"
    )
