# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write a checkpoint folder from published weights, or from another checkpoint in another dtype."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from evla_ros.model.building import build_with
from evla_ros.model.checkpoint import TOKENIZER, load_checkpoint, save_checkpoint
from evla_ros.model.errors import CheckpointError
from evla_ros.model.import_openvla import import_openvla
from evla_ros.model.import_prismatic import import_prismatic
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.text_tokenizer import qwen_tokenizer, read_tokenizer


def convert(
    source: Path,
    target: Path,
    *,
    tokenizer: Path | None = None,
    statistics: Path | None = None,
    dtype: torch.dtype | None = None,
    architecture: Mapping[str, Any] | None = None,
) -> Path:
    """Convert `source` into the checkpoint folder `target`.

    Args:
        source: a Prismatic/EVLA `.pt`, a Hugging Face OpenVLA folder, or one of our folders.
        target: the folder to write; must not exist.
        tokenizer: `tokenizer.json` or Qwen's `.tiktoken` ranks; default: the one in the source.
        statistics: `dataset_statistics.json`; default: the one beside the weights.
        dtype: of the written weights; default: as they are.
        architecture: what the shapes of a `.pt` cannot tell, see `import_prismatic`.
    """
    if (source / "checksums.json").is_file():
        loaded = load_checkpoint(source, dtype=dtype)
        words = loaded.processor.prompt_builder.tokenizer
        return save_checkpoint(
            target, loaded.model, words, loaded.statistics, loaded.embodiment_text
        )
    if source.is_dir():
        config, tensors, numbers = import_openvla(source)
    else:
        config, tensors = import_prismatic(source, architecture)
        numbers = DatasetStatistics.read(statistics or _beside(source, "dataset_statistics.json"))
    if statistics is not None:
        numbers = DatasetStatistics.read(statistics)
    words = _tokenizer(tokenizer or (source / TOKENIZER if source.is_dir() else None), source)
    model = build_with(config, tensors, str(source), dtype=dtype)
    return save_checkpoint(target, model, words, numbers)


def _tokenizer(path: Path | None, source: Path) -> Tokenizer:
    if path is None:
        raise CheckpointError(
            f"{source}: a .pt holds no tokenizer; name its tokenizer.json or its .tiktoken ranks"
        )
    return qwen_tokenizer(path) if path.suffix == ".tiktoken" else read_tokenizer(path)


def _beside(checkpoint: Path, name: str) -> Path:
    """The file in the run's folder: published checkpoints lie in its `checkpoints` folder."""
    candidates = [checkpoint.parent / name, checkpoint.parent.parent / name]
    return next((path for path in candidates if path.is_file()), candidates[0])
