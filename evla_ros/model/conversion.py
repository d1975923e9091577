# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Write a checkpoint folder from published weights, or from another checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from tokenizers import Tokenizer

from evla_ros.model.building import build_with
from evla_ros.model.checkpoint import TOKENIZER, load_checkpoint, save_checkpoint
from evla_ros.model.config import EvlaConfig
from evla_ros.model.errors import CheckpointError
from evla_ros.model.import_openvla import import_openvla
from evla_ros.model.import_prismatic import import_prismatic
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.oft_parts import OftSettings
from evla_ros.model.text_tokenizer import qwen_tokenizer, read_tokenizer


def convert(  # noqa: PLR0913 - one argument for each option of `evla export`
    source: Path,
    target: Path,
    *,
    tokenizer: Path | None = None,
    statistics: str | None = None,
    dtype: torch.dtype | None = None,
    architecture: Mapping[str, Any] | None = None,
    oft: OftSettings | None = None,
    crop: Literal["center", "none"] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Convert `source` into the checkpoint folder `target`.

    Args:
        source: a Prismatic or EVLA `.pt`, a Hugging Face OpenVLA folder, or one of our folders.
        target: the folder to write; it must not exist.
        tokenizer: `tokenizer.json` or Qwen's `.tiktoken` ranks; default: the one in the source.
        statistics: a `dataset_statistics.json`, or the name of a dataset: of the source's
            statistics only that entry is kept; default: those beside the weights.
        dtype: number format of the written weights; default: as they are.
        architecture: what the shapes of a `.pt` cannot tell, see `import_prismatic`.
        oft: what a fine-tune by OpenVLA-OFT does not say about itself.
        crop: what is served of each picture; None: all of it, of an OpenVLA-OFT run the centre.
        say: is told what was decided without having been named.

    Returns:
        The target folder.

    Raises:
        CheckpointError: the source cannot be read, lacks a part, or the target exists; an option
            that has no effect for this source.
        StatisticsError: the named dataset is not in the statistics.
    """
    own = (source / "checksums.json").is_file()
    _refuse("--tokenizer", tokenizer if own else None, source)
    _refuse("--architecture", architecture if source.is_dir() else None, source)
    _refuse("--crop", crop if own else None, source)
    for name in ("chunk", "cameras", "normalization", "base"):
        of_oft = getattr(oft, name, None) or None
        if of_oft is not None and (own or not source.is_dir()):
            raise CheckpointError(
                f"--{name} has no effect: {str(source)!r} is no fine-tune by OpenVLA-OFT"
            )
    if own:
        loaded = load_checkpoint(source, dtype=dtype)
        text_tokenizer = loaded.processor.prompt_builder.tokenizer
        numbers = _chosen(statistics, loaded.statistics)
        return save_checkpoint(
            target,
            loaded.model,
            text_tokenizer,
            numbers,
            loaded.embodiment_text,
            cameras=loaded.cameras,
        )
    if source.is_dir():
        kept = statistics if statistics and not statistics.endswith(".json") else None
        config, tensors, numbers = import_openvla(source, oft=oft, statistics=kept)
        numbers = numbers if kept else _chosen(statistics, numbers)
    else:
        config, tensors = import_prismatic(source, architecture)
        numbers = _chosen(statistics, _beside(source, "dataset_statistics.json"))
    config = _with_crop(config, crop, say)
    text_tokenizer = _tokenizer(
        tokenizer or (source / TOKENIZER if source.is_dir() else None), source
    )
    model = build_with(config, tensors, str(source), dtype=dtype)
    return save_checkpoint(target, model, text_tokenizer, numbers)


def _with_crop(config: EvlaConfig, crop: str | None, say: Callable[[str], None]) -> EvlaConfig:
    """Return the configuration with what is served of a picture; what was not named is said."""
    action = config.action
    is_oft = action.readout == "previous"
    center = crop == "center" or (crop is None and is_oft)
    if is_oft:
        cameras = ", ".join(config.image.cameras)
        say(f"OpenVLA-OFT: {action.chunk} x {action.dim} numbers by its {action.output} head, "
            f"proprioception of {config.proprio_dim}, cameras {cameras} in this order")  # fmt: skip
        say(f"taken as published, since its folder does not say: normalization "
            f"{action.normalization}, crop {'center' if center else 'none'} (--normalization, "
            "--crop)")  # fmt: skip
    image = config.image.model_copy(update={"center_crop": center})
    return config.model_copy(update={"image": image})


def _refuse(option: str, value: object, source: Path) -> None:
    if value is not None:
        raise CheckpointError(f"{option} has no effect for {str(source)!r}, which brings its own")


def _chosen(name: str | None, source: DatasetStatistics | Path) -> DatasetStatistics:
    """Return the statistics of a file that is named, or the source's entry of that name, or all."""
    if name is not None and name.endswith(".json"):
        return DatasetStatistics.read(Path(name))
    known = DatasetStatistics.read(source) if isinstance(source, Path) else source
    return known if name is None else known.only(name)


def _tokenizer(path: Path | None, source: Path) -> Tokenizer:
    if path is None:
        raise CheckpointError(
            f"{source}: a .pt holds no tokenizer; name its tokenizer.json or its .tiktoken ranks"
        )
    return qwen_tokenizer(path) if path.suffix == ".tiktoken" else read_tokenizer(path)


def _beside(checkpoint: Path, name: str) -> Path:
    """Return a file of the run's folder: published checkpoints lie in its `checkpoints` folder."""
    candidates = [checkpoint.parent / name, checkpoint.parent.parent / name]
    return next((path for path in candidates if path.is_file()), candidates[0])
