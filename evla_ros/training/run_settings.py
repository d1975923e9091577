# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The settings that both phases of training have: optimiser, ranks, reports and saved states."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_STEPS = 1_000_000_000
_Share = Annotated[float, Field(ge=0, lt=1)]


class Strict(BaseModel):
    """A section of settings; an unknown key and a number that is not finite are errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False
    )


class OptimizerSettings(Strict):
    """The settings of the optimiser, AdamW.

    Attributes:
        steps: Number of optimiser steps.
        epochs: In place of steps: how many times through the data; 0 goes by `steps`.
        batch: Samples of one optimiser step, over all ranks and accumulated forward passes.
        accumulate: Forward passes of one optimiser step.
        learning_rate: The highest learning rate, reached after the warm-up; 0 goes by the size of
            the network.
        weight_decay: Applied to matrices, not to biases, norms and embeddings.
        betas: Decay rates of AdamW's moments.
        schedule: What the learning rate does after the warm-up.
        warmup_steps: Steps over which the learning rate rises from 0.
        warmup_share: In place of warmup_steps: their share of all steps; 0 goes by `warmup_steps`.
        clip_norm: The gradient is scaled down to this norm.
        ema: Decay of the moving average of the weights; 0 keeps no average.
        precision: Number format of the matrix products; `auto` measures whether the device
            computes a step faster in bf16 or in fp32.
    """

    steps: int = Field(default=1000, ge=1, le=MOST_STEPS)
    epochs: float = Field(default=0.0, ge=0, le=100_000)
    batch: int = Field(default=32, ge=1, le=1_000_000)
    accumulate: int = Field(default=1, ge=1, le=1_000_000)
    learning_rate: float = Field(default=0.0, ge=0)
    weight_decay: float = Field(default=0.01, ge=0)
    betas: tuple[_Share, _Share] = (0.9, 0.95)
    schedule: Literal["cosine", "constant"] = "cosine"
    warmup_steps: int = Field(default=50, ge=0, le=MOST_STEPS)
    warmup_share: _Share = 0.0
    clip_norm: float = Field(default=1.0, gt=0)
    ema: float = Field(default=0.0, ge=0, lt=1)
    precision: Literal["fp32", "bf16", "auto"] = "auto"


class RunSettings(Strict):
    """What every run has.

    Attributes:
        output: Folder of the run.
        seed: Decides the random weights, the order of the samples and everything drawn in them.
        optimizer: The settings of the optimiser.
        distributed: How several ranks share the work: each has the whole network, or a shard.
        activation_checkpointing: Computes again in the backward pass what would be kept for it.
        compile: Whether PyTorch compiles the network before the first step.
        log_every: Steps between reports.
        eval_every: Steps between evaluations on what is held out.
        eval_batches: Batches of one evaluation.
        save_every: Steps between saved states.
        tensorboard: Also write TensorBoard files.
        wandb: Name of a Weights & Biases project to report to; empty for none.
    """

    output: str = Field(min_length=1)
    seed: int = Field(default=0, ge=0, lt=1 << 63)
    optimizer: OptimizerSettings = OptimizerSettings()
    distributed: Literal["ddp", "fsdp"] = "ddp"
    activation_checkpointing: bool = False
    compile: bool = False
    log_every: int = Field(default=10, ge=1, le=MOST_STEPS)
    eval_every: int = Field(default=200, ge=1, le=MOST_STEPS)
    eval_batches: int = Field(default=8, ge=1, le=MOST_STEPS)
    save_every: int = Field(default=200, ge=1, le=MOST_STEPS)
    tensorboard: bool = False
    wandb: str = ""
