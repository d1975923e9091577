# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Read a YAML file and the arguments of the command line into a checked training configuration."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from evla_ros.reading.text_files import is_folder
from evla_ros.reading.yaml_files import read_yaml
from evla_ros.settings_errors import Keys, Problem, lines, problems, written
from evla_ros.training.config import TrainConfig
from evla_ros.training.config_changes import apply_changes
from evla_ros.training.errors import TrainingError
from evla_ros.training.pretrain_config import PretrainConfig, unused_in_pretraining
from evla_ros.training.run_settings import RunSettings
from evla_ros.training.unused_settings import unused_settings, unused_steps

Settings = TypeVar("Settings", bound=RunSettings)


def load_config(
    path: str | Path, changes: Sequence[str] = (), *, resume: bool = False
) -> TrainConfig:
    """Read the configuration of a fine-tuning run, see `load_settings`."""
    return load_settings(TrainConfig, path, changes, resume=resume)


def load_settings(
    kind: type[Settings], path: str | Path, changes: Sequence[str] = (), *, resume: bool = False
) -> Settings:
    """Read a configuration file and apply the arguments of the command line to it.

    Args:
        kind: The settings of a phase.
        path: A YAML file, or the `train.json` of a run.
        changes: `key.sub=value` arguments.
        resume: The file began a run, perhaps of an older version: settings of it without effect are
            printed instead of refused.

    Raises:
        TrainingError: The file cannot be read, or a setting is wrong or has no effect; one line for
            each problem, with the file or the argument, and the dotted path.
    """
    data = read_settings(path)
    if resume:
        _modernise(data)
    return parse_settings(kind, data, str(path), apply_changes(data, changes), resume=resume)


def read_settings(path: str | Path) -> dict[str, Any]:
    """Return the content of a configuration file, unchecked.

    Raises:
        TrainingError: The file cannot be read or holds no mapping.
    """
    file = Path(path)
    if is_folder(file):
        raise TrainingError(f"{str(file)!r} is a folder; a run in it goes on with --resume")
    data = read_yaml(file, TrainingError, aliases=True)
    if not isinstance(data, dict):
        raise TrainingError(f"{file}: a training configuration is a mapping")
    return data


def parse_config(
    data: dict[str, Any],
    source: str,
    changes: Mapping[Keys, str] | None = None,
    *,
    resume: bool = False,
) -> TrainConfig:
    """Check the plain data of a fine-tuning run's configuration, see `parse_settings`."""
    return parse_settings(TrainConfig, data, source, changes, resume=resume)


def parse_settings(
    kind: type[Settings],
    data: dict[str, Any],
    source: str,
    changes: Mapping[Keys, str] | None = None,
    *,
    resume: bool = False,
) -> Settings:
    """Check the plain data of a configuration.

    Args:
        kind: The settings of a phase.
        data: The content of a configuration file, with changes applied.
        source: Name of the file, for messages.
        changes: The keys that the command line set, with the arguments as typed.
        resume: The file began a run, perhaps of an older version: settings without effect are
            printed instead of refused.

    Raises:
        TrainingError: With one line for each problem.
    """
    typed = changes or {}
    try:
        config = kind.model_validate(data)
    except ValidationError as error:
        raise TrainingError(lines(problems(error, kind), source, typed)) from error
    found = [*unused_steps(config), *_unused(config)]
    if resume:
        kept = [problem for problem in found if written(problem.keys, source, typed) == source]
        if kept:
            print(f"ignored as when the run began: {lines(kept, source)}", file=sys.stderr)
        found = [problem for problem in found if problem not in kept]
    if found:
        raise TrainingError(lines(found, source, typed))
    return config


def _unused(config: RunSettings) -> Iterator[Problem]:
    """Yield the settings that a configuration of either phase shows to have no effect."""
    if isinstance(config, PretrainConfig):
        return unused_in_pretraining(config)
    return unused_settings(config) if isinstance(config, TrainConfig) else iter(())


def _modernise(data: dict[str, Any]) -> None:
    """Rewrite what older versions stored: they also had the chunk in `model.action`."""
    model = data.get("model")
    action = model.get("action") if isinstance(model, dict) else None
    if isinstance(model, dict) and isinstance(action, dict) and "chunk" in action:
        model["chunk"] = action.pop("chunk")
