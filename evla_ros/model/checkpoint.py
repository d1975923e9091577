# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Checkpoint folders: weights, configuration, statistics, embodiment, tokenizer, checksums."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from evla_ros.data.camera_shapes import CAMERAS_FILE, Shapes, read_shapes, shapes_text
from evla_ros.errors import shorten
from evla_ros.model.adapter_checkpoint import ADAPTERS, BASE, find_base, with_adapters
from evla_ros.model.building import build_with
from evla_ros.model.config import EvlaConfig, parse_config
from evla_ros.model.errors import CheckpointError
from evla_ros.model.evla_model import EvlaModel
from evla_ros.model.normalization import DatasetStatistics
from evla_ros.model.processor import Processor
from evla_ros.model.runtimes.manifest import MANIFEST, is_exported
from evla_ros.model.safe_files import read_safetensors, sha256
from evla_ros.model.stored import Stored
from evla_ros.model.text_tokenizer import read_tokenizer
from evla_ros.model.weight_writer import write_weights
from evla_ros.reading.limits import YAML_BYTES
from evla_ros.reading.text_files import is_file, is_folder, read_json_object, read_text

WEIGHTS, CONFIG, STATISTICS = "model.safetensors", "config.json", "dataset_statistics.json"
EMBODIMENT, TOKENIZER, HASHES = "embodiment.yaml", "tokenizer.json", "checksums.json"


@dataclass(frozen=True)
class Parts:
    """What a checkpoint folder says beside its weights."""

    config: EvlaConfig
    processor: Processor
    statistics: DatasetStatistics
    embodiment_text: str | None
    path: Path
    cameras: Shapes = field(default_factory=dict)  # the sizes of the cameras it learned from


@dataclass(frozen=True)
class Checkpoint:
    """Everything that a checkpoint folder holds; unpacks as (model, processor, statistics)."""

    model: EvlaModel
    processor: Processor
    statistics: DatasetStatistics
    embodiment_text: str | None
    path: Path
    cameras: Shapes = field(default_factory=dict)  # as of Parts

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
    cameras: Shapes | None = None,
) -> Path:
    """Write a checkpoint folder, completely or not at all.

    Args:
        folder: where to write it.
        model: gives the configuration and, unless `tensors` is given, the weights.
        tokenizer: the tokenizer of the prompts.
        statistics: the numbers that normalise actions and proprio.
        embodiment_text: the embodiment file of the robot, as text.
        overwrite: replace a folder that exists.
        tensors: weights to store instead of the model's own, such as their average.
        cameras: the sizes in which the cameras of its data were recorded, where they are known.

    Returns:
        The folder.

    Raises:
        CheckpointError: the folder exists and `overwrite` is not set.
    """
    weights = tensors if tensors is not None else dict(model.named_parameters())
    return write_checkpoint(
        folder,
        model.config,
        {name: Stored.of(tensor) for name, tensor in weights.items()},
        tokenizer,
        statistics,
        embodiment_text,
        overwrite=overwrite,
        cameras=cameras,
    )


def write_checkpoint(  # noqa: PLR0913 - one argument for each file of the folder
    folder: str | Path,
    config: EvlaConfig,
    weights: Mapping[str, Stored],
    tokenizer: Tokenizer,
    statistics: DatasetStatistics,
    embodiment_text: str | None = None,
    *,
    dtype: torch.dtype | None = None,
    overwrite: bool = False,
    cameras: Shapes | None = None,
    base: str | None = None,
) -> Path:
    """Write a checkpoint folder, completely or not at all, with one tensor in memory at a time.

    Args:
        folder: where to write it.
        config: the architecture.
        weights: every parameter of the network, by name.
        tokenizer: of the prompts.
        statistics: the numbers that normalise actions and proprio.
        embodiment_text: the embodiment file of the robot, as text.
        dtype: what the numbers become; None keeps each tensor's.
        overwrite: replace a folder that exists.
        cameras: the sizes in which the cameras of its data were recorded, where they are known.
        base: `weights` are adapters on the base that this text names (`base_record`).

    Returns:
        The folder.

    Raises:
        CheckpointError: the folder exists and `overwrite` is not set; a tensor cannot be read.
    """
    target = Path(folder)
    if target.exists() and not overwrite:
        raise CheckpointError(f"{str(target)!r} exists; choose another folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}"
    staging.mkdir()
    try:
        file_name = WEIGHTS if base is None else ADAPTERS
        hashes = {file_name: write_weights(weights, staging / file_name, dtype)}
        if base is not None:
            (staging / BASE).write_text(base)
        (staging / CONFIG).write_text(json.dumps(config.model_dump(mode="json"), indent=2) + "\n")
        statistics.write(staging / STATISTICS)
        tokenizer.save(str(staging / TOKENIZER))
        if embodiment_text is not None:
            (staging / EMBODIMENT).write_text(embodiment_text)
        if cameras:
            (staging / CAMERAS_FILE).write_text(shapes_text(cameras))
        for file in sorted(staging.iterdir()):
            if file.name not in hashes:
                hashes[file.name] = sha256(file)
        (staging / HASHES).write_text(json.dumps(dict(sorted(hashes.items())), indent=2) + "\n")
        _put_in_place(staging, target)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    return target


def _put_in_place(staging: Path, target: Path) -> None:
    if not target.exists():
        staging.rename(target)
        return
    retired = target.parent / f".{target.name}.{uuid.uuid4().hex[:8]}"
    target.rename(retired)
    staging.rename(target)
    shutil.rmtree(retired)


def load_checkpoint(
    folder: str | Path,
    *,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
    verify: bool = True,
) -> Checkpoint:
    """Load a checkpoint folder; adapters are added to the weights of their base.

    Args:
        folder: the folder that `save_checkpoint` wrote.
        device: where the weights go.
        dtype: what they are cast to; None keeps the stored one.
        verify: compare every file with its recorded hash first.

    Raises:
        CheckpointError: the folder is missing, damaged or of another architecture.
    """
    parts = read_parts(folder, verify=verify)
    model = build_model(parts, device, dtype, verify=verify)
    return Checkpoint(
        model, parts.processor, parts.statistics, parts.embodiment_text, parts.path, parts.cameras
    )


def read_parts(folder: str | Path, *, verify: bool = True) -> Parts:
    """Read a checkpoint folder without its weights; arguments as of `load_checkpoint`.

    Raises:
        CheckpointError: the folder is missing or damaged.
    """
    path = Path(folder)
    if not is_folder(path):
        raise CheckpointError(f"checkpoint folder {str(path)!r} does not exist")
    if verify:
        verify_checkpoint(path)
    config = parse_config(read_json_object(path / CONFIG, CheckpointError), str(path / CONFIG))
    processor = Processor(config, read_tokenizer(path / TOKENIZER))
    statistics = DatasetStatistics.read(path / STATISTICS)
    embodiment = path / EMBODIMENT
    text = read_text(embodiment, YAML_BYTES, CheckpointError) if embodiment.is_file() else None
    return Parts(config, processor, statistics, text, path, read_shapes(path))


def build_model(
    parts: Parts,
    device: str | torch.device = "cpu",
    dtype: torch.dtype | None = None,
    *,
    verify: bool = True,
) -> EvlaModel:
    """Return the network of a checkpoint with its weights; arguments as of `load_checkpoint`.

    Raises:
        CheckpointError: the weights are damaged or of another architecture, or there are none.
    """
    path = parts.path / WEIGHTS
    if is_exported(parts.path) and not path.exists():
        raise CheckpointError(
            f"the checkpoint {str(parts.path)!r} was exported: it holds graphs, and no weights for "
            "torch; use the checkpoint that it was made from"
        )
    if is_file(parts.path / BASE):
        tensors = _on_base(parts.path, parts.config, dtype, verify=verify)
    else:
        tensors = read_safetensors(path)
    return build_with(parts.config, tensors, str(path), device, dtype)


def _on_base(
    path: Path, config: EvlaConfig, dtype: torch.dtype | None, *, verify: bool
) -> dict[str, Tensor]:
    base, scale = find_base(path)
    if verify:
        verify_checkpoint(base)
    with torch.device("meta"):
        names = dict(EvlaModel(config).named_parameters())
    first = config.action.vocabulary_size - config.action.bins
    return with_adapters(read_safetensors(base / WEIGHTS), path, scale, names, first, dtype)


def verify_checkpoint(folder: Path) -> None:
    """Compare every file of a checkpoint folder with its recorded hash.

    Raises:
        CheckpointError: names the first file that is missing or differs; a file that every
            checkpoint has is not recorded, or one outside the folder is.
    """
    recorded = read_json_object(folder / HASHES, CheckpointError)
    network = ADAPTERS if is_file(folder / BASE) else WEIGHTS
    network = MANIFEST if is_exported(folder) else network
    missing = [name for name in (network, CONFIG, STATISTICS, TOKENIZER) if name not in recorded]
    if missing:
        raise CheckpointError(f"{folder / HASHES} records no hash of {missing[0]}; copy it again")
    for name, expected in recorded.items():
        if Path(name).name != name:
            raise CheckpointError(
                f"{folder / HASHES} names {shorten(repr(name))}, which is no file of the folder"
            )
        file = folder / name
        if not is_file(file):
            raise CheckpointError(
                f"checkpoint {str(folder)!r} lacks {shorten(name)}; copy the folder again"
            )
        if sha256(file) != expected:
            raise CheckpointError(
                f"{file}: differs from its recorded hash (truncated or changed); copy it again"
            )
