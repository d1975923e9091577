# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The state to go on from after a kill, and the checkpoints that a robot loads (`best`, `last`).

State folders are renamed into place when complete, so a kill at any instant leaves the one before.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from evla_ros.training.ema import Ema
from evla_ros.training.errors import TrainingError

STATE = "state"


def save_state(
    folder: Path,
    step: int,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    ema: Ema,
    facts: dict[str, Any],
) -> None:
    """Write everything that the next step depends on; the previous state is removed afterwards."""
    target = folder / STATE / f"step-{step:08d}"
    if target.exists():
        return
    partial = folder / STATE / f".partial-{step:08d}"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        tensors.update({f"{name}.{key}": p for key, p in module.named_parameters()})
    for index, entry in optimizer.state_dict()["state"].items():
        tensors.update({f"optimizer.{index}.{key}": torch.as_tensor(v) for key, v in entry.items()})
    tensors.update({f"ema.{key}": value for key, value in ema.shadow.items()})
    save_file(
        {k: t.detach().contiguous().clone() for k, t in tensors.items()},
        partial / "state.safetensors",
    )
    (partial / "state.json").write_text(json.dumps({"step": step, **facts}, indent=1))
    partial.rename(target)
    for old in states(folder)[:-1]:
        shutil.rmtree(old, ignore_errors=True)


def states(folder: Path) -> list[Path]:
    """Return the complete state folders, oldest first."""
    return sorted((folder / STATE).glob("step-*"))


def load_state(
    folder: Path, modules: Mapping[str, nn.Module], optimizer: torch.optim.Optimizer, ema: Ema
) -> dict[str, Any] | None:
    """Restore the newest state and return its facts (`step`, ...); None when there is none."""
    found = states(folder)
    if not found:
        return None
    tensors = load_file(found[-1] / "state.safetensors")
    try:
        with torch.no_grad():
            for name, module in modules.items():
                for key, parameter in module.named_parameters():
                    parameter.copy_(tensors[f"{name}.{key}"])
            for key, value in ema.shadow.items():
                value.copy_(tensors[f"ema.{key}"])
    except (KeyError, RuntimeError) as error:
        raise TrainingError(
            f"{found[-1]} does not fit this configuration ({error}); resume with the one it "
            "began with"
        ) from error
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("optimizer."):
            _, index, key = name.split(".", 2)
            state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict(
        {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
    )
    facts: dict[str, Any] = json.loads((found[-1] / "state.json").read_text())
    return facts
