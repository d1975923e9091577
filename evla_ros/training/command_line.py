# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the arguments of a fine-tuning command to the checked settings of the run."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evla_ros.reading.text_files import exists, is_file
from evla_ros.settings_errors import Keys
from evla_ros.training.config import TrainConfig
from evla_ros.training.config_changes import apply_changes
from evla_ros.training.config_file import parse_config, read_settings
from evla_ros.training.errors import TrainingError
from evla_ros.training.run_folder import run_config

OUTPUTS = Path("outputs")  # where runs lie that are not told where
_ONE_OR_OTHER = "name what to learn from: --dataset DIR, or a YAML file"
_SOURCE = "settings"


@dataclass(frozen=True)
class Request:
    """What a command asks for.

    Attributes:
        words: A YAML file or, to resume, the folder of a run; then `key.sub=value` changes. Without
            a file the datasets and the defaults say everything.
        datasets: Folders of datasets, each perhaps with `:WEIGHT` behind it.
        start: The checkpoint folder to start from; empty starts as the file or the preset says.
        resume: Continue the run in the folder instead of starting one.
    """

    words: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    start: str = ""
    resume: bool = False


def requested_config(request: Request) -> TrainConfig:
    """Return the settings that a request asks for.

    Raises:
        TrainingError: Something is missing, contradicts itself, is unknown or has no effect.
    """
    file, changes = file_and_changes(request.words)
    if request.resume:
        _check_resume(request, file)
        if not exists(str(file)):
            raise TrainingError(f"nothing to resume in {file!r}: it does not exist")
        return run_config(str(file), changes, resume=True)
    if file is None and not request.datasets:
        raise TrainingError(
            f"{_ONE_OR_OTHER} (config/training/my_robot.yaml is a template); see "
            "`evla train finetune --help`"
        )
    if file and not exists(file):
        raise TrainingError(f"{file!r} is neither a file nor a setting; write key.sub=value")
    data = read_settings(file) if file else {}
    typed = _put_datasets(data, request.datasets) if request.datasets else {}
    if request.start:
        typed |= _put_start(data, request.start)
    typed |= apply_changes(data, changes)
    if file is None and "output" not in data:
        data["output"] = str(OUTPUTS / _dataset_name(request.datasets[0]))
    return parse_config(data, str(file or _SOURCE), typed)


def read_arguments(argv: Sequence[str]) -> Request:
    """Return the request of a plain argument list, as `torchrun` hands it to every rank."""
    parser = argparse.ArgumentParser(
        prog="evla_ros.training.train", allow_abbrev=False, description=__doc__
    )
    parser.add_argument("words", nargs="*", help="CONFIG or RUN, then key.sub=value changes")
    parser.add_argument("--dataset", action="append", default=[], help="DIR or DIR:WEIGHT")
    parser.add_argument("--start", default="", help="the checkpoint folder to start from")
    parser.add_argument("--resume", action="store_true", help="continue the run in the folder")
    found = parser.parse_intermixed_args(list(argv))
    return Request(tuple(found.words), tuple(found.dataset), found.start, found.resume)


def file_and_changes(words: Sequence[str]) -> tuple[str | None, list[str]]:
    """Split the words: the first one without `=`, or that exists, is a file or a folder."""
    if words and ("=" not in words[0] or exists(words[0])):
        return words[0], list(words[1:])
    return None, list(words)


def _check_resume(request: Request, file: str | None) -> None:
    if file is None:
        raise TrainingError(
            "--resume needs the folder of the run: evla train finetune RUN --resume"
        )
    for name, given in (("--dataset", request.datasets), ("--start", request.start)):
        if given:
            raise TrainingError(
                f"{name}: a run goes on with what it began with; leave it out"
                + (" (datasets.0.path=DIR says where a dataset lies now)" * (name == "--dataset"))
            )


def _put_datasets(data: dict[str, Any], words: Sequence[str]) -> dict[Keys, str]:
    """Replace the datasets of a file; returns the typed words by the keys they set."""
    data["datasets"] = [_dataset_entry(word) for word in words]
    return {("datasets", str(i)): f"--dataset {word}" for i, word in enumerate(words)}


def _put_start(data: dict[str, Any], start: str) -> dict[Keys, str]:
    """Replace where the network of a file comes from."""
    model = data.setdefault("model", {})
    if isinstance(model, dict):
        model.pop("preset", None)
        model["start"] = start
    return {("model", "start"): f"--start {start}"}


def _dataset_entry(word: str) -> dict[str, Any]:
    """Return the dataset of `DIR` or `DIR:WEIGHT`."""
    folder, colon, weight = word.rpartition(":")
    if not colon or exists(word):
        return {"path": word}
    try:
        return {"path": folder, "weight": float(weight)}
    except ValueError:
        return {"path": word}


def _dataset_name(word: str) -> str:
    """Return the name of the dataset in a folder, which may be that of one version."""
    folder = Path(_dataset_entry(word)["path"]).resolve()
    is_version = is_file(folder / "dataset_info.json")
    return folder.parent.name if is_version else folder.name
