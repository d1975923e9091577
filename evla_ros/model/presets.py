# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Named model configurations (`config/models/*.yaml`), adapted to one robot."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from evla_ros.errors import nearest
from evla_ros.model.config import EvlaConfig, parse_config
from evla_ros.model.errors import ModelConfigError


def preset_folders() -> list[Path]:
    """Folders that may hold presets: the checkout, then every installed share folder."""
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    shares = [Path(prefix) / "share" / "evla_ros" for prefix in prefixes if prefix]
    return [root / "config" / "models" for root in (Path(__file__).parents[2], *shares)]


def preset_names() -> list[str]:
    """Names of every shipped preset, sorted."""
    return sorted({file.stem for folder in preset_folders() for file in folder.glob("*.yaml")})


def load_preset(
    name_or_path: str | Path,
    *,
    chunk: int | None = None,
    dim: int | None = None,
    cameras: Sequence[str] | None = None,
    proprio_dim: int | None = None,
    arm_columns: Sequence[Sequence[int]] | None = None,
    action: dict[str, Any] | None = None,
) -> EvlaConfig:
    """Load a preset by name or file; the keywords replace the robot-specific parts.

    Args:
        name_or_path: `evla-1b`, `evla-nano`, ..., or the path of a YAML file.
        chunk: K, steps per chunk.
        dim: D, numbers per step.
        cameras: camera names in fusion order.
        proprio_dim: P, numbers of the proprioception vector (0: no proprio token).
        arm_columns: of several arms, the numbers of it that belong to each.
        action: any further fields of `ActionConfig`, such as `{"mask": "isolated"}`.
    """
    path = _find(name_or_path)
    try:
        data = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise ModelConfigError(f"{path}: not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise ModelConfigError(f"{path}: a model preset is a mapping, not {type(data).__name__}")
    changes = {"chunk": chunk, "dim": dim, **(action or {})}
    data["action"] = {**data.get("action", {}), **_given(changes)}
    data["image"] = {**data.get("image", {}), **_given({"cameras": cameras and tuple(cameras)})}
    data.update(_given({"proprio_dim": proprio_dim, "arm_columns": arm_columns}))
    return parse_config(data, str(path))


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _find(name_or_path: str | Path) -> Path:
    path = Path(name_or_path)
    if path.suffix in {".yaml", ".yml"}:
        if path.is_file():
            return path
        raise ModelConfigError(f"model preset {str(path)!r} does not exist")
    for folder in preset_folders():
        candidate = folder / f"{name_or_path}.yaml"
        if candidate.is_file():
            return candidate
    raise ModelConfigError(
        f"unknown model preset {str(name_or_path)!r}; {nearest(str(name_or_path), preset_names())}"
    )
