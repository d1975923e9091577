# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a fine-tuning by OpenVLA-OFT (arXiv 2502.19645) leaves beside the weights of OpenVLA.

Its continuous head and its proprioception layer are files of their own; the number of cameras, the
length of a chunk and the scaling of the numbers stand in no file, since they were constants of the
program that was run. All action slots are fed zeros, everything sees everything, a stop token
follows the slots, and a slot is answered by the state of the column before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from evla_ros.errors import shorten, shown
from evla_ros.model.config import EvlaConfig, Normalization, parse_config
from evla_ros.model.errors import CheckpointError
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.stored import stored_pickle

ADAPTER = "lora_adapter"
_STOP = 2  # Llama's </s>, a constant of the published code
_REFUSED = {
    "noisy_action_projector--*": "the input of a diffusion head",
    "vision_backbone--*": "vision towers with FiLM",
}
_HEAD = {
    "layer_norm1": "enter.0",
    "fc1": "enter.1",
    "layer_norm2": "leave.0",
    "fc2": "leave.1",
    "mlp_resnet_blocks.0.ffn.0": "blocks.0.norm",
    "mlp_resnet_blocks.0.ffn.1": "blocks.0.linear",
    "mlp_resnet_blocks.1.ffn.0": "blocks.1.norm",
    "mlp_resnet_blocks.1.ffn.1": "blocks.1.linear",
}
_PROPRIO = {"fc1": "proprio.0", "fc2": "proprio.2"}
# Chunk and cameras of the published robots, by the numbers of an action and of proprioception.
_PUBLISHED = {(7, 8): "8 and two", (7, 7): "5 and one or more", (14, 14): "25 and three"}


@dataclass(frozen=True)
class OftSettings:
    """What the folder of such a run does not say.

    Attributes:
        chunk: steps of a chunk, K; 0: not known.
        cameras: their names in the order of the pictures; empty: not known.
        normalization: of actions and proprioception; None: `min_max` for 14 numbers as ALOHA's
            runs had it, `q99` otherwise.
        base: the folder of plain OpenVLA that a run of adapters alone was trained on.
    """

    chunk: int = 0
    cameras: Sequence[str] = ()
    normalization: Normalization | None = None
    base: Path | None = None


@dataclass(frozen=True)
class OftParts:
    """The files of such a run: its tensors under our names, and their sizes.

    dim: numbers of an action by its head; 0 without one. proprio_dim: 0 without such a layer.
    """

    folder: Path
    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    dim: int = 0
    l1_width: int = 0
    proprio_dim: int = 0


def read_oft(folder: Path) -> OftParts | None:
    """Read what lies beside the weights; None where it is plain OpenVLA.

    Raises:
        CheckpointError: a part that this network lacks, several of one kind, a damaged file.
    """
    for pattern, what in _REFUSED.items():
        for file in sorted(folder.glob(pattern)):
            raise CheckpointError(
                f"{shown(file)} is {what} of OpenVLA-OFT, which this network lacks; without it the "
                "weights are another policy. Runs with the L1 head and without FiLM are imported"
            )
    head, proprio = _only(folder, "action_head"), _only(folder, "proprio_projector")
    if head is None and proprio is None and not (folder / ADAPTER).is_dir():
        return None
    tensors: dict[str, Tensor] = {}
    dim = width = proprio_dim = 0
    if head is not None:
        found = _head_tensors(head)
        width, dim = found["l1_head.enter.1.weight"].shape[0], len(found["l1_head.leave.1.bias"])
        tensors |= found
    if proprio is not None:
        found = _renamed(proprio, "", _PROPRIO, "")
        proprio_dim = found["proprio.0.weight"].shape[1]
        tensors |= found
    return OftParts(folder, tensors, dim, width, proprio_dim)


def oft_config(
    config: EvlaConfig, parts: OftParts, settings: OftSettings, statistics: DatasetStatistics
) -> EvlaConfig:
    """Return the configuration of plain OpenVLA changed to that of such a run.

    Raises:
        CheckpointError: chunk or cameras are not known; the parts do not fit each other.
    """
    source = shown(parts.folder)
    if config.language_model.family != "llama":
        raise CheckpointError(
            f"{source}: OpenVLA-OFT is made for Llama-2; this is a {config.language_model.family}"
        )
    dim = parts.dim or _statistics_dim(statistics, source)
    if not settings.chunk or not settings.cameras:
        known = _PUBLISHED.get((dim, parts.proprio_dim))
        hint = f"; the published runs of this robot have a chunk of {known} cameras"
        raise CheckpointError(
            f"{source} is a fine-tune by OpenVLA-OFT, which does not say how long its chunk is and "
            f"how many cameras it has: give --chunk N and --cameras NAME ...{hint if known else ''}"
        )
    _check_statistics(statistics, dim, parts.proprio_dim, source)
    head = {"heads": ["l1"], "output": "l1", "l1_width": parts.l1_width} if parts.dim else {}
    data = config.model_dump(mode="json")
    data["action"] |= {
        "chunk": settings.chunk,
        "dim": dim,
        "mask": "full",
        "decode": "joint",
        "readout": "previous",
        "end_ids": [_STOP],
        "normalization": normalization_of(settings, dim),
        **head,
    }
    data["image"]["cameras"] = list(settings.cameras)
    data["proprio_dim"] = parts.proprio_dim
    return parse_config(data, source)


def normalization_of(settings: OftSettings, dim: int) -> Normalization:
    """Return how numbers are scaled, as the published runs of such a robot had it."""
    return settings.normalization or ("min_max" if dim == 14 else "q99")


def _only(folder: Path, module: str) -> Path | None:
    files = sorted(folder.glob(f"{module}--*"))
    if len(files) > 1:
        names = ", ".join(file.name for file in files)
        raise CheckpointError(f"{shown(folder)} holds several of {module}: {names}; keep one")
    return files[0] if files else None


def _head_tensors(file: Path) -> dict[str, Tensor]:
    if any("noise_predictor" in key for key in stored_pickle(file)):
        raise CheckpointError(
            f"{shown(file)} is a diffusion head of OpenVLA-OFT, which this network lacks; runs "
            "with the L1 head are imported"
        )
    return _renamed(file, "model.", _HEAD, "l1_head.")


def _renamed(file: Path, prefix: str, names: Mapping[str, str], ours: str) -> dict[str, Tensor]:
    """Return the tensors of a file under our names; each of `names` has a weight and a bias."""
    found: dict[str, Tensor] = {}
    for full, tensor in stored_pickle(file).items():
        key = full.removeprefix("module.")  # of distributed training
        layer, _, kind = key.removeprefix(prefix).rpartition(".")
        if layer not in names or not key.startswith(prefix) or not re.match("weight$|bias$", kind):
            raise CheckpointError(f"{shown(file)}: unknown tensor {shorten(repr(full))}")
        found[f"{ours}{names[layer]}.{kind}"] = tensor.read()
    for name in names.values():
        for kind in ("weight", "bias"):
            if f"{ours}{name}.{kind}" not in found:
                raise CheckpointError(f"{shown(file)}: lacks the {kind} of {name} ({len(found)} of "
                                      f"{2 * len(names)} tensors are there)")  # fmt: skip
    return found


def _statistics_dim(statistics: DatasetStatistics, source: str) -> int:
    sizes = {len(entry.get("action", {}).get("q01", ())) for entry in statistics.datasets.values()}
    if len(sizes) != 1 or 0 in sizes:
        raise CheckpointError(
            f"{source}: the numbers of an action follow from no head, and its dataset statistics "
            f"have {sorted(sizes)}; keep one dataset with --statistics NAME"
        )
    return sizes.pop()


def _check_statistics(
    statistics: DatasetStatistics, dim: int, proprio_dim: int, source: str
) -> None:
    for name, entry in statistics.datasets.items():
        for part, size in (("action", dim), ("proprio", proprio_dim)):
            numbers: Any = entry.get(part, {}).get("q01", ())
            if size and len(numbers) != size:
                raise CheckpointError(
                    f"{source}: dataset statistics {name}.{part} have {len(numbers)} numbers, its "
                    f"{'action head' if part == 'action' else 'proprio_projector'} {size}"
                )


def as_dtype(tensors: Mapping[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    """Return tensors in the dtype of the network, which the published evaluation casts them to."""
    return {name: tensor.to(dtype) for name, tensor in tensors.items()}
