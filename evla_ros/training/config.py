# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The settings of a training run, strict: an unknown key is an error with its dotted path."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from evla_ros.errors import nearest
from evla_ros.training.errors import TrainingError


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class DatasetEntry(_Strict):
    """One dataset folder.

    `weight` multiplies its size, `transform` is a name of training/samples/standardize.py.
    """

    path: str
    weight: float = Field(default=1.0, gt=0)
    transform: str = "auto"
    split: str = "train"
    val_split: str = "val"


class ModelSettings(_Strict):
    """`start`: a checkpoint folder to go on from, also of another robot; else the preset afresh.

    `vision`: a safetensors file with encoder weights (from `evla train vision`). cameras: of the
    dataset; empty
    keeps the preset's. chunk: K, 0 takes the embodiment's (the preset's without one).
    """

    preset: str = "evla-nano"
    start: str = ""
    vision: str = ""
    cameras: tuple[str, ...] = ()
    chunk: int = Field(default=0, ge=0)
    proprio: bool = True
    action: dict[str, Any] = {}
    attention: Literal["eager", "sdpa"] = "sdpa"


class DataSettings(_Strict):
    """instructions: R answers per picture.

    Workers: processes that decode pictures (0: this one).
    """

    instructions: int = Field(default=1, ge=1)
    augment: bool = False
    proprio_dropout: float = Field(default=0.0, ge=0, le=1)
    workers: int = Field(default=0, ge=0)


class OptimizerSettings(_Strict):
    """batch: samples of one optimiser step, over all ranks and accumulated forwards.

    precision: of the products; auto is bf16 where the device multiplies it faster than fp32.
    """

    steps: int = Field(default=1000, ge=1)
    batch: int = Field(default=32, ge=1)
    accumulate: int = Field(default=1, ge=1)
    learning_rate: float = Field(default=1e-3, gt=0)
    weight_decay: float = Field(default=0.01, ge=0)
    betas: tuple[float, float] = (0.9, 0.95)
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_steps: int = Field(default=50, ge=0)
    clip_norm: float = Field(default=1.0, gt=0)
    ema: float = Field(default=0.0, ge=0, lt=1)
    precision: Literal["fp32", "bf16", "auto"] = "fp32"


class LossSettings(_Strict):
    """Weights of the parts of the loss; grounding needs a dataset that says where things are.

    steps: learn so many of the K steps at a time, drawn anew for every update (0: all; mask
    `isolated` only).
    """

    l1: float = Field(default=2.0, ge=0)
    tokens: float = Field(default=0.3, ge=0)
    grounding: float = Field(default=0.0, ge=0)
    grounding_layer: int = Field(default=1, ge=0)
    steps: int = Field(default=0, ge=0)


class LoraSettings(_Strict):
    """Low-rank adapters on all linear layers (rank 0: none); checkpoints have them merged."""

    rank: int = Field(default=0, ge=0)
    alpha: float = Field(default=16.0, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)


class TrainConfig(_Strict):
    """Everything `evla train finetune` needs.

    `output` is a new folder, or that of the run to resume. statistics: of the numbers to
    normalise; auto pools several datasets of one robot under its name, else one entry per dataset.
    features: folder of cached features, which runs with the same encoders and data can share; empty
    is the run's own.
    """

    output: str
    datasets: tuple[DatasetEntry, ...] = Field(min_length=1)
    embodiment: str = ""
    statistics: Literal["auto", "pooled", "per_dataset"] = "auto"
    seed: int = 0
    model: ModelSettings = ModelSettings()
    data: DataSettings = DataSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    loss: LossSettings = LossSettings()
    freeze: tuple[Literal["vision", "projector", "llm", "llm_but_last"], ...] = ()
    lora: LoraSettings = LoraSettings()
    cache_features: bool = False
    features: str = ""
    distributed: Literal["ddp", "fsdp"] = "ddp"
    activation_checkpointing: bool = False
    compile: bool = False
    log_every: int = Field(default=10, ge=1)
    eval_every: int = Field(default=200, ge=1)
    eval_batches: int = Field(default=8, ge=1)
    save_every: int = Field(default=200, ge=1)
    tensorboard: bool = False
    wandb: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> TrainConfig:
        if self.cache_features and ("vision" not in self.freeze or self.data.augment):
            raise ValueError("cache_features needs freeze: [vision] and data.augment: false")
        if self.loss.grounding and self.data.augment:
            raise ValueError("loss.grounding needs data.augment: false (a crop moves the things)")
        if self.lora.rank and self.freeze:
            raise ValueError("lora freezes everything but its adapters; leave freeze empty")
        return self


def load_config(path: str | Path, changes: list[str] | None = None) -> TrainConfig:
    """Read a YAML file and apply `key.sub=value` changes.

    Raises TrainingError with the dotted path.
    """
    file = Path(path)
    try:
        data = yaml.safe_load(file.read_text())
    except OSError as error:
        raise TrainingError(f"cannot read {str(file)!r}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise TrainingError(f"{file}: not valid YAML: {error}") from error
    if not isinstance(data, dict):
        raise TrainingError(f"{file}: a training configuration is a mapping")
    for change in changes or []:
        _apply(data, change)
    return parse_config(data, str(file))


def parse_config(data: dict[str, Any], source: str) -> TrainConfig:
    """Check plain data; raises TrainingError with the dotted path of the first problem."""
    try:
        return TrainConfig.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"]) or "configuration"
        hint = ""
        if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
            hint = f"; {nearest(str(first['loc'][0]), TrainConfig.model_fields)}"
        raise TrainingError(f"{source}: {path}: {first['msg']}{hint}") from error


def _apply(data: dict[str, Any], change: str) -> None:
    key, found, value = change.partition("=")
    if not found:
        raise TrainingError(f"cannot read {change!r}; write key.sub=value")
    *folders, leaf = key.split(".")
    target: Any = data
    for folder in folders:
        if isinstance(target, list):
            if not folder.isdigit() or int(folder) >= len(target):
                raise TrainingError(f"{change!r}: no entry {folder!r}; there are {len(target)}")
            target = target[int(folder)]
        elif isinstance(target, dict):
            target = target.setdefault(folder, {})
    if not isinstance(target, dict):
        raise TrainingError(f"{change!r}: {'.'.join(folders)!r} is no group of settings")
    target[leaf] = _value(value, change)


def _value(text: str, change: str) -> Any:
    """Return what YAML reads; nothing is an empty text."""
    try:
        return yaml.safe_load(text) if text else ""
    except yaml.YAMLError as error:
        raise TrainingError(f"{change!r}: not a YAML value") from error
