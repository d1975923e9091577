# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write metrics as JSON lines and, on request, to TensorBoard and wandb."""

from __future__ import annotations

import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from evla_ros.reading.limits import CAPTIONS_BYTES
from evla_ros.reading.text_files import TextError, parse_json, read_text
from evla_ros.training.distributed import ProcessGroup
from evla_ros.training.errors import TrainingError
from evla_ros.training.objective.losses import Sums

FILE = "metrics.jsonl"
DECODED, TAUGHT = "token_accuracy", "taught_token_accuracy"  # with the true tokens fed to it


class MetricsLog:
    """Appends to `metrics.jsonl`; a resumed run first drops the entries after its step."""

    def __init__(
        self, folder: Path, resume_step: int, *, tensorboard: bool = False, wandb: str = ""
    ) -> None:
        self._path = folder / FILE
        lines = (
            [line for line in read_metrics(folder) if line["step"] <= resume_step]
            if resume_step
            else []
        )
        self._path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        self._board = _tensorboard(folder) if tensorboard else None
        self._wandb = _wandb(folder, wandb) if wandb else None

    def write(self, entry: dict[str, Any]) -> None:
        """Write one entry, which has a `step`."""
        with self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")
        flat = {k: v for k, v in flatten(entry).items() if k != "step"}
        if self._board is not None:
            for key, value in flat.items():
                self._board.add_scalar(key, value, entry["step"])
        if self._wandb is not None:
            self._wandb.log(flat, step=entry["step"])


class StepTotals:
    """Sums of the forward passes of one optimiser step on this rank."""

    def __init__(self) -> None:
        self._passes: list[Tensor] = []

    def add(self, sums: Sums, auxiliary: Tensor) -> None:
        """Add the sums of a forward pass, and its part of the weighted auxiliary loss."""
        values = (sums.loss, sums.count, sums.right, sums.rows, auxiliary)
        numbers = torch.stack([value.detach().float() for value in values])
        self._passes.append(torch.cat([numbers, sums.error.float()]))

    def metrics(self, group: ProcessGroup, names: Sequence[str], accuracy: str) -> dict[str, Any]:
        """Return the metrics of the step; every rank has to call it.

        Args:
            group: The ranks.
            names: Names of the action's numbers.
            accuracy: Name of the share of right tokens, see `accuracy_name`.

        Returns:
            `loss`, `auxiliary_loss`, the accuracy, and `l1`, the mean absolute error of each number
            in its own unit.
        """
        packed = group.total(torch.stack(self._passes).sum(0)).tolist()
        loss, count, right, rows, auxiliary = packed[:5]
        return {
            "loss": loss / max(count, 1.0),
            "auxiliary_loss": auxiliary,
            accuracy: right / max(count, 1.0),
            "l1": {name: error / rows for name, error in zip(names, packed[5:], strict=True)},
        }


def accuracy_name(decode: str) -> str:
    """Return the name of the share of action numbers that the answering head puts into their bin.

    A network that decodes token by token is fed the true tokens in training: its share has another
    name than that of decoded answers.
    """
    return DECODED if decode == "joint" else TAUGHT


def accuracy_of(entry: Mapping[str, Any]) -> float:
    """Return the share of right tokens of an entry, whatever its name."""
    return float(entry[DECODED] if DECODED in entry else entry[TAUGHT])


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Return the entries of a run; a last line that was cut off by a kill is left out."""
    path = folder / FILE
    entries = []
    lines = read_text(path, CAPTIONS_BYTES).splitlines() if path.exists() else []
    for number, line in enumerate(lines):
        try:
            entry = parse_json(line, f"{path}, line {number + 1}")
        except TextError:
            break
        if not isinstance(entry, dict) or not isinstance(entry.get("step"), int):
            raise TrainingError(f"{path}, line {number + 1}: an entry without a `step`")
        entries.append(entry)
    return entries


def flatten(entry: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Return nested numbers as a flat dictionary with keys such as `a/b/c`."""
    flat: dict[str, float] = {}
    for key, value in entry.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{key}/"))
        elif isinstance(value, (int, float)):
            flat[f"{prefix}{key}"] = float(value)
    return flat


def check_viewers(*, tensorboard: bool, wandb: str) -> None:
    """Check that the viewers asked for are installed.

    Raises:
        TrainingError: One is not.
    """
    if tensorboard:
        _import("torch.utils.tensorboard", "tensorboard: true needs it", "tensorboard")
    if wandb:
        _import("wandb", "wandb needs it", "wandb")


def _import(module: str, needs: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise TrainingError(f"{needs} installed: pip install {package}") from error


def _tensorboard(folder: Path) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder / "tensorboard"))


def _wandb(folder: Path, project: str) -> Any:
    module = importlib.import_module("wandb")
    return module.init(project=project, dir=str(folder), resume="allow", id=folder.name)
