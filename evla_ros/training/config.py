# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The settings of a training run; an unknown key is an error that names its dotted path."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from evla_ros.data.open_x.mixtures import mixture
from evla_ros.data.remote.uri import uri_of
from evla_ros.data.rlds.errors import DatasetError
from evla_ros.model.config import DecodeMode, HeadName, MaskKind, Normalization, Readout
from evla_ros.training.run_settings import RunSettings, Strict


class DatasetEntry(Strict):
    """One dataset, or all those of a published mixture.

    Attributes:
        path: Folder of the dataset; or else:
        mixture: Name of a published mixture, or of one dataset of Open X-Embodiment.
        root: The folder that holds the datasets of the mixture, each under its name.
        allow_missing: Whether a mixture is learned without the datasets that are not there.
        weight: Multiplies the size of the dataset in the mixture; of a mixture, all its weights.
        transform: Name of a transform in `samples/standardize.py`, or of a dataset of Open
            X-Embodiment. `auto` knows the datasets of this project, and goes by the names of
            published ones.
        split: The split that is trained on.
        val_split: The split that is held out; an empty name trains without evaluation.
    """

    path: str = ""
    mixture: str = ""
    root: str = ""
    allow_missing: bool = False
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    transform: str = "auto"
    split: str = "train"
    val_split: str = "val"

    @model_validator(mode="after")
    def _names_one_thing(self) -> DatasetEntry:
        problem = _contradiction(self)
        if problem:
            raise ValueError(problem)
        return self


def _contradiction(entry: DatasetEntry) -> str:
    """Return what is wrong with the keys of an entry together, or nothing."""
    if not entry.path and not entry.mixture:
        return "name a dataset (path: DIR) or a mixture (mixture: NAME, root: DIR)"
    if entry.path:
        given = [key for key in ("mixture", "root", "allow_missing") if getattr(entry, key)]
        return f"{given[0]} has no effect beside path; keep one of the two" if given else ""
    if not entry.root:
        return "a mixture needs root, the folder that holds its datasets, each under its name"
    if uri_of(entry.root) is not None:
        return (
            f"root {entry.root!r} is no folder of this machine, which a mixture needs; copy its "
            "datasets there, or name each by path"
        )
    if entry.transform != "auto":
        return (
            "transform has no effect on a mixture, which knows its datasets by name; leave it out"
        )
    try:
        mixture(entry.mixture)
    except DatasetError as error:
        return str(error)
    return ""


class ActionSettings(Strict):
    """How the network predicts actions; None takes the value of the preset or the checkpoint.

    Attributes:
        heads: Which action heads the network has.
        output: Which of the heads gives the actions.
        mask: Attention mask of the action slots, see docs/model.md.
        readout: Whose state answers for a slot of joint decoding: its own, or that of the column
            before it, as in weights that wrote token by token.
        decode: Whether all actions are decoded at once or token by token, see docs/model.md.
        l1_width: Hidden size of the continuous head.
        normalization: How actions and proprioception are normalised.
        bins: Number of action tokens; a checkpoint keeps its own.
        vocabulary_size: Action tokens count down from this id; a checkpoint keeps its own.
    """

    heads: Annotated[tuple[HeadName, ...], Field(min_length=1)] | None = None
    output: HeadName | None = None
    mask: MaskKind | None = None
    readout: Readout | None = None
    decode: DecodeMode | None = None
    l1_width: Annotated[int, Field(gt=0)] | None = None
    normalization: Normalization | None = None
    bins: Annotated[int, Field(ge=2)] | None = None
    vocabulary_size: Annotated[int, Field(gt=0)] | None = None


class ModelSettings(Strict):
    """Where the network comes from, and what the run decides about it.

    Attributes:
        preset: Build a new network of this preset; empty means evla-nano.
        start: Start from this checkpoint folder instead, which may be of another robot.
        vision: A safetensors file with encoder weights, from `evla train vision`.
        cameras: Cameras to look at. Empty takes all of the robot's, those of a checkpoint that
            was made for this robot, or, where no robot is known, those of the preset.
        chunk: Number of actions in a chunk, K. 0 takes the robot's or, where no robot is known,
            that of the preset or the checkpoint.
        proprio: Whether the network reads the dataset's proprioception, where it has any.
        action: How the network predicts actions.
        attention: The attention kernel; `auto` measures which one is faster.
    """

    preset: str = ""
    start: str = ""
    vision: str = ""
    cameras: tuple[str, ...] = ()
    chunk: int = Field(default=0, ge=0, le=1024)
    proprio: bool = True
    action: ActionSettings = ActionSettings()
    attention: Literal["eager", "sdpa", "auto"] = "auto"


class DataSettings(Strict):
    """What a sample is made of.

    Attributes:
        instructions: Number of (instruction, chunk) pairs that share one picture, R.
        augment: Whether pictures are cropped and recoloured at random. The checkpoint is then
            served the centre of each picture.
        proprio_dropout: Probability that the mean replaces the proprioception.
        workers: Processes that decode pictures; 0 decodes in the training process. Empty
            takes 0 on a CPU and up to 8 for a GPU.
        missing_cameras: What stands for a camera that the network looks through and a dataset does
            not have: `refuse` names the dataset, `black` shows black pictures.
    """

    instructions: int = Field(default=1, ge=1, le=1000)
    augment: bool = False
    proprio_dropout: float = Field(default=0.0, ge=0, le=1)
    workers: Annotated[int, Field(ge=0, le=1024)] | None = None
    missing_cameras: Literal["refuse", "black"] = "refuse"


class LossSettings(Strict):
    """Weights of the parts of the loss.

    Attributes:
        l1: Weight of the continuous head's L1 loss.
        tokens: Weight of the action tokens' cross-entropy.
        grounding: Weight of the grounding loss, for datasets that record where objects are.
        grounding_layer: The decoder layer whose attention the grounding loss supervises.
        steps: Number of the chunk's K steps that are learned at a time, drawn anew for each update.
            0 learns all; other values need the mask `isolated`.
    """

    l1: float = Field(default=2.0, ge=0)
    tokens: float = Field(default=0.3, ge=0)
    grounding: float = Field(default=0.0, ge=0)
    grounding_layer: int = Field(default=1, ge=0)
    steps: int = Field(default=0, ge=0)


class LoraSettings(Strict):
    """Low-rank adapters on all linear layers. Rank 0 adds none.

    Attributes:
        rank: Rows of each adapter.
        alpha: An adapter's product is scaled by alpha / rank.
        dropout: Of what the adapters see.
        base: Number format of the weights under the adapters: `bf16` takes half the memory, `nf4`
            (4 bits, bitsandbytes) an eighth. Everything that learns stays in fp32.
        adapters_only: Checkpoints hold adapters and what learned whole, to be loaded on
            `model.start`; otherwise the sum of both.
    """

    rank: int = Field(default=0, ge=0, le=65_536)
    alpha: float = Field(default=16.0, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    base: Literal["fp32", "bf16", "nf4"] = "fp32"
    adapters_only: bool = False


class TrainConfig(RunSettings):
    """Everything that `evla train finetune` needs.

    Attributes:
        datasets: The datasets to train on.
        embodiment: File or name of the robot that the checkpoint is for; empty takes the one stored
            with the datasets.
        statistics: Which statistics normalise the numbers. `auto` pools several datasets of one
            robot under its name, and otherwise keeps one entry for each dataset.
        model: Where the network comes from, and what the run decides about it.
        data: What a sample is made of.
        loss: Weights of the parts of the loss.
        freeze: Parts of the network that do not learn.
        lora: Low-rank adapters in place of learning whole matrices.
        cache_features: Encode every picture once; needs frozen encoders and no augmentation.
        features: Folder of cached image features, which runs with the same encoders and data can
            share; empty keeps them in the run's own folder.
    """

    datasets: tuple[DatasetEntry, ...] = Field(min_length=1)
    embodiment: str = ""
    statistics: Literal["auto", "pooled", "per_dataset"] = "auto"
    model: ModelSettings = ModelSettings()
    data: DataSettings = DataSettings()
    loss: LossSettings = LossSettings()
    freeze: tuple[Literal["vision", "projector", "llm", "llm_but_last"], ...] = ()
    lora: LoraSettings = LoraSettings()
    cache_features: bool = False
    features: str = ""
