# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Metrics as one JSON object a line, always; TensorBoard and wandb on request, for viewing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evla_ros.training.errors import TrainingError

FILE = "metrics.jsonl"


class MetricsLog:
    """Appends to `metrics.jsonl`.

    A resumed run first drops what lies beyond the step it resumes from.
    """

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
        """Write one entry; it has a `step`."""
        with self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")
        flat = {k: v for k, v in flatten(entry).items() if k != "step"}
        if self._board is not None:
            for key, value in flat.items():
                self._board.add_scalar(key, value, entry["step"])
        if self._wandb is not None:
            self._wandb.log(flat, step=entry["step"])


def read_metrics(folder: Path) -> list[dict[str, Any]]:
    """Return the entries of a run; a last line cut short by a kill is left out."""
    path = folder / FILE
    entries = []
    for line in path.read_text().splitlines() if path.exists() else []:
        try:
            entries.append(json.loads(line))
        except ValueError:
            break
    return entries


def flatten(entry: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Return nested numbers as `a/b/c` -> number."""
    flat: dict[str, float] = {}
    for key, value in entry.items():
        if isinstance(value, dict):
            flat.update(flatten(value, f"{prefix}{key}/"))
        elif isinstance(value, (int, float)):
            flat[f"{prefix}{key}"] = float(value)
    return flat


def _tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise TrainingError(
            "tensorboard: true needs it installed: pip install tensorboard"
        ) from error
    return SummaryWriter(str(folder / "tensorboard"))


def _wandb(folder: Path, project: str) -> Any:
    try:
        import wandb
    except ImportError as error:
        raise TrainingError("wandb needs it installed: pip install wandb") from error
    return wandb.init(project=project, dir=str(folder), resume="allow", id=folder.name)
