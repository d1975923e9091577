# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoint folders: weights, configuration, statistics, embodiment, tokenizer, hashes."""

from __future__ import annotations

import json
import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer
from torch import Tensor

from evla_ros.model.building import build_with
from evla_ros.model.config import EvlaConfig, parse_config
from evla_ros.model.errors import CheckpointError
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.processor import Processor
from evla_ros.model.safe_files import read_json, read_safetensors, sha256
from evla_ros.model.text_tokenizer import read_tokenizer

WEIGHTS, CONFIG, STATISTICS = "model.safetensors", "config.json", "dataset_statistics.json"
EMBODIMENT, TOKENIZER, HASHES = "embodiment.yaml", "tokenizer.json", "checksums.json"


@dataclass(frozen=True)
class Checkpoint:
    """Everything a checkpoint folder holds; unpacks as (model, processor, statistics)."""

    model: EvlaModel
    processor: Processor
    statistics: DatasetStatistics
    embodiment_text: str | None
    path: Path

    @property
    def config(self) -> EvlaConfig:
        """The model's configuration."""
        return self.model.config

    def __iter__(self) -> Any:
        return iter((self.model, self.processor, self.statistics))


def save_checkpoint(
    folder: str | Path,
    model: EvlaModel,
    tokenizer: Tokenizer,
    statistics: DatasetStatistics,
    embodiment_text: str | None = None,
    *,
    overwrite: bool = False,
    tensors: dict[str, Tensor] | None = None,
) -> Path:
    """Write a checkpoint folder completely or not at all.

    `tensors` replaces the model's own parameters (an averaged copy, say). An existing folder is
    refused unless `overwrite`.
    """
    target = Path(folder)
    if target.exists() and not overwrite:
        raise CheckpointError(f"{str(target)!r} exists; choose another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}"
    staging.mkdir()
    try:
        weights = tensors if tensors is not None else dict(model.named_parameters())
        save_file({k: t.detach().contiguous() for k, t in weights.items()}, staging / WEIGHTS)
        (staging / CONFIG).write_text(
            json.dumps(model.config.model_dump(mode="json"), indent=2) + "\n"
        )
        statistics.write(staging / STATISTICS)
        tokenizer.save(str(staging / TOKENIZER))
        if embodiment_text is not None:
            (staging / EMBODIMENT).write_text(embodiment_text)
        hashes = {file.name: sha256(file) for file in sorted(staging.iterdir())}
        (staging / HASHES).write_text(json.dumps(hashes, indent=2) + "\n")
        if target.exists():
            retired = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}"
            target.rename(retired)
            staging.rename(target)
            shutil.rmtree(retired)
        else:
            staging.rename(target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return target


def load_checkpoint(
    folder: str | Path,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
    verify: bool = True,
) -> Checkpoint:
    """Load a checkpoint folder; `verify` compares every file with its recorded hash first."""
    path = Path(folder)
    if not path.is_dir():
        raise CheckpointError(f"checkpoint folder {str(path)!r} does not exist")
    if verify:
        verify_checkpoint(path)
    config = parse_config(read_json(path / CONFIG), str(path / CONFIG))
    tensors = read_safetensors(path / WEIGHTS)
    model = build_with(config, tensors, str(path / WEIGHTS), device, dtype)
    processor = Processor(config, read_tokenizer(path / TOKENIZER))
    statistics = DatasetStatistics.read(path / STATISTICS)
    embodiment = path / EMBODIMENT
    text = embodiment.read_text() if embodiment.is_file() else None
    return Checkpoint(model, processor, statistics, text, path)


def verify_checkpoint(folder: Path) -> None:
    """Raise `CheckpointError` naming the first file that is missing or differs from its hash."""
    for name, expected in read_json(folder / HASHES).items():
        file = folder / name
        if not file.is_file():
            raise CheckpointError(f"checkpoint {str(folder)!r} lacks {name}; copy the folder again")
        if sha256(file) != expected:
            raise CheckpointError(
                f"{file}: differs from its recorded hash (truncated or changed); copy it again"
            )
