# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Save and load the state of a run, so that it can continue after a kill.

State folders are renamed into place when they are complete, so a kill leaves the one before. The
ranks of a sharded network write a file each; any number of ranks reads them.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from evla_ros.reading.text_files import read_json_object
from evla_ros.training.distributed import ProcessGroup, alone
from evla_ros.training.ema import Ema
from evla_ros.training.errors import TrainingError
from evla_ros.training.state_shards import (
    ALONE,
    StateReader,
    check_files,
    shard_name,
    write_shard,
)

STATE, LIST = "state", "state.json"


def save_state(
    folder: Path,
    step: int,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    ema: Ema,
    metadata: dict[str, Any],
    group: ProcessGroup | None = None,
) -> None:
    """Save everything that the next step depends on, then remove the previous state.

    Args:
        folder: The folder of the run.
        step: How many steps were taken.
        modules: The network and its training heads.
        optimizer: Its moments are saved.
        ema: The moving average of the weights.
        metadata: What else to store, as JSON.
        group: The ranks that share a sharded network, all of which have to call it; None when this
            process holds everything.
    """
    group = group or alone()
    target = folder / STATE / f"step-{step:08d}"
    if target.exists():
        return
    partial = folder / STATE / f".partial-{step:08d}"
    if group.is_main:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        (partial / LIST).write_text(json.dumps({"save": uuid.uuid4().hex}))
    group.barrier()
    save = read_json_object(partial / LIST, TrainingError)["save"]
    tensors = _tensors(modules, optimizer, ema)
    if not group.is_main:  # what is not sharded, the main one writes
        tensors = {name: t for name, t in tensors.items() if hasattr(t, "to_local")}
    name = ALONE if group.ranks == 1 else shard_name(group.rank, group.ranks)
    entry = write_shard(partial / name, tensors, save)
    (partial / f"{name}.json").write_text(json.dumps(entry))
    group.barrier()
    if group.is_main:
        files = {}
        for listed in sorted(partial.glob("*.safetensors.json")):
            files[listed.stem] = read_json_object(listed, TrainingError)
            listed.unlink()
        content = {"step": step, **metadata, "save": save, "files": files}
        (partial / LIST).write_text(json.dumps(content, indent=1))
        partial.rename(target)
        for old in states(folder)[:-1]:
            shutil.rmtree(old, ignore_errors=True)
    group.barrier()


def states(folder: Path) -> list[Path]:
    """Return the complete state folders, oldest first."""
    return sorted((folder / STATE).glob("step-*"))


def state_metadata(folder: Path) -> dict[str, Any]:
    """Return the stored values of the newest state (`step`, ...); empty without a state."""
    found = states(folder)
    if not found:
        return {}
    return read_json_object(found[-1] / LIST, TrainingError)


def load_state(
    folder: Path,
    modules: Mapping[str, nn.Module],
    optimizer: torch.optim.Optimizer,
    ema: Ema,
    group: ProcessGroup | None = None,
) -> dict[str, Any] | None:
    """Restore the newest state, whatever number of ranks saved it; arguments as of `save_state`.

    Returns:
        Its stored values (`step`, ...); None without a state.

    Raises:
        TrainingError: A file is missing, changed or of another save, or the state is of another
            network.
    """
    group = group or alone()
    found = states(folder)
    if not found:
        return None
    metadata = state_metadata(folder)
    files = metadata.get("files")
    if files:
        mine = slice(group.rank, None, group.ranks)
        check_files(found[-1], files, str(metadata.get("save")), mine)
    reader = StateReader(found[-1], list(files or [ALONE]))  # the first states listed no files
    for name, module in modules.items():
        for key, parameter in module.named_parameters():
            reader.fill(f"{name}.{key}", parameter)
    for key, value in ema.shadow.items():
        reader.fill(f"ema.{key}", value)
    _load_moments(reader, optimizer)
    return metadata


def _tensors(
    modules: Mapping[str, nn.Module], optimizer: torch.optim.Optimizer, ema: Ema
) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = {}
    for name, module in modules.items():
        tensors.update({f"{name}.{key}": p for key, p in module.named_parameters()})
    for index, entry in optimizer.state_dict()["state"].items():
        tensors.update({f"optimizer.{index}.{key}": torch.as_tensor(v) for key, v in entry.items()})
    tensors.update({f"ema.{key}": value for key, value in ema.shadow.items()})
    return tensors


def _load_moments(reader: StateReader, optimizer: torch.optim.Optimizer) -> None:
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name in reader.names:
        if not name.startswith("optimizer."):
            continue
        _, index, key = name.split(".", 2)
        if int(index) >= len(parameters):
            raise TrainingError(
                f"the saved state has moments of {int(index) + 1} parameters, {len(parameters)} "
                "learn now; resume with the configuration it began with"
            )
        like = parameters[int(index)].detach()
        scalar = not reader.shape(name)  # the number of steps
        value = torch.zeros(()) if scalar and like.dim() else torch.zeros_like(like)
        reader.fill(name, value)
        state.setdefault(int(index), {})[key] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
