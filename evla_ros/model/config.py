# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The architecture of one EVLA model as frozen, strictly checked data; knows no torch."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from evla_ros.model.errors import ModelConfigError
from evla_ros.settings_errors import lines, problems

MaskKind = Literal["isolated", "bidirectional", "prefix_lm", "block_prefix_lm", "full"]
DecodeMode = Literal["joint", "autoregressive", "released"]
HeadName = Literal["tokens", "l1"]
Readout = Literal["own", "previous"]
Normalization = Literal["q99", "min_max", "mean_std"]
# Sizes beyond any network of this kind; a damaged file must not make one of them.
MOST_WIDTH, MOST_LAYERS, MOST_HEADS, MOST_TOKENS, MOST_PIXELS = 1 << 17, 512, 1024, 1 << 24, 4096
Width = Annotated[int, Field(gt=0, le=MOST_WIDTH)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Level = Annotated[int, Field(ge=0, le=255)]
TokenId = Annotated[int, Field(ge=0, lt=MOST_TOKENS)]
PUBLISHED_TEMPLATE = "In: What action should the robot take to {instruction}?\nOut:"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class BackboneConfig(_Strict):
    """One vision transformer; of the `depth` published blocks the last is never built."""

    kind: Literal["dinov2", "siglip"]
    hidden_size: Width
    depth: int = Field(ge=2, le=MOST_LAYERS)
    heads: int = Field(gt=0, le=MOST_HEADS)
    mlp_size: Width
    patch_size: int = Field(gt=0, le=MOST_PIXELS)
    register_tokens: int = Field(default=0, ge=0, le=256)
    activation: Literal["gelu", "gelu_pytorch_tanh"] = "gelu"
    stem: Literal["patchify", "conv"] = "patchify"
    mean: tuple[Finite, Finite, Finite]
    std: tuple[Positive, Positive, Positive]

    @model_validator(mode="after")
    def _divisible(self) -> BackboneConfig:
        if self.hidden_size % self.heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is not a multiple of heads {self.heads}"
            )
        if self.kind == "dinov2" and self.mlp_size % self.hidden_size:
            raise ValueError(
                f"dinov2: mlp_size {self.mlp_size} is no multiple of hidden_size {self.hidden_size}"
            )
        return self


class ImageConfig(_Strict):
    """Cameras in fusion order and how a frame becomes a square of `size` pixels.

    fills: the colour of the border of a letterbox, for each tower one; empty: one for all, the mean
    colour of ImageNet.
    """

    size: int = Field(gt=0, le=MOST_PIXELS)
    cameras: tuple[str, ...] = Field(min_length=1, max_length=64)
    resize: Literal["squash", "letterbox"] = "squash"
    fills: tuple[tuple[Level, Level, Level], ...] = ()
    center_crop: bool = False  # True when trained with random crops: evaluate on 90 % of the area

    @model_validator(mode="after")
    def _distinct(self) -> ImageConfig:
        if len(set(self.cameras)) != len(self.cameras):
            raise ValueError(f"cameras {list(self.cameras)} repeat a name")
        if self.fills and self.resize != "letterbox":
            raise ValueError(f"fills have no effect with resize: {self.resize}")
        return self


class RopeScaling(_Strict):
    """How Llama 3.1 and later stretch their rotary positions (`rope_type: llama3`)."""

    factor: Positive
    low_freq_factor: Positive
    high_freq_factor: Positive
    original_max_positions: int = Field(gt=0, le=1 << 24)


class LanguageModelConfig(_Strict):
    """A decoder of one family.

    vocabulary_rows: the size of its embedding table. rotary_fraction: the share of each head that
    rotary positions turn; None takes the family's (a half for phi, all for the others).
    """

    family: Literal["qwen2", "qwen3", "llama", "gemma", "phi"]
    vocabulary_rows: int = Field(gt=0, le=MOST_TOKENS)
    hidden_size: Width
    layers: int = Field(gt=0, le=MOST_LAYERS)
    heads: int = Field(gt=0, le=MOST_HEADS)
    key_value_heads: int = Field(gt=0, le=MOST_HEADS)
    mlp_size: Width
    head_dim: Annotated[int, Field(gt=0, le=4096)] | None = None
    rope_theta: Positive = 1e6
    rope_scaling: RopeScaling | None = None
    rotary_fraction: Annotated[float, Field(gt=0, le=1)] | None = None
    norm_eps: Positive = 1e-6
    tie_embeddings: bool = True
    max_positions: int = Field(default=32768, gt=0, le=1 << 24)

    @model_validator(mode="after")
    def _divisible(self) -> LanguageModelConfig:
        if self.heads % self.key_value_heads:
            raise ValueError(
                f"heads {self.heads} is not a multiple of key_value_heads {self.key_value_heads}"
            )
        if self.head_dim is None and self.hidden_size % self.heads:
            raise ValueError(
                f"hidden_size {self.hidden_size} is not a multiple of heads {self.heads}"
            )
        return self


class ActionConfig(_Strict):
    """K steps of D numbers, their token vocabulary, heads and attention mask.

    A value in bin d (1..bins) has token id `vocabulary_size - d`; the size is stored, never
    guessed.

    Of joint decoding alone, readout: the state that answers for a slot, its own or that of the
    column before it (the last prompt token, then the slots), as weights read it that once wrote
    token by token. end_ids: text tokens behind the slots, which OpenVLA-OFT learned with.
    """

    chunk: int = Field(gt=0, le=1024)
    dim: int = Field(gt=0, le=1024)
    bins: int = Field(default=256, ge=2, le=1 << 16)
    vocabulary_size: int = Field(gt=0, le=MOST_TOKENS)
    heads: tuple[HeadName, ...] = ("tokens",)
    l1_width: int = Field(default=1024, gt=0, le=MOST_WIDTH)
    mask: MaskKind = "bidirectional"
    decode: DecodeMode = "joint"
    output: HeadName = "tokens"
    readout: Readout = "own"
    end_ids: Annotated[tuple[TokenId, ...], Field(max_length=64)] = ()
    normalization: Normalization = "q99"

    @property
    def slots(self) -> int:
        """Number of action slots, K * D."""
        return self.chunk * self.dim

    @model_validator(mode="after")
    def _consistent(self) -> ActionConfig:
        if self.output not in self.heads:
            raise ValueError(f"output {self.output!r} is not one of the heads {list(self.heads)}")
        if self.decode != "joint" and "tokens" not in self.heads:
            raise ValueError(f"decode {self.decode!r} needs the tokens head")
        if self.decode != "joint" and self.mask == "full":
            raise ValueError(
                f"decode {self.decode!r} cannot have the mask full, under which the prompt sees "
                "the actions; set mask to prefix_lm"
            )
        if self.vocabulary_size < self.bins:
            raise ValueError(f"vocabulary_size {self.vocabulary_size} is below bins {self.bins}")
        return self


class PromptConfig(_Strict):
    """Template and the ids that surround its tokens (beginning of text, the trailing blank)."""

    template: str = Field(default=PUBLISHED_TEMPLATE, max_length=10_000)
    prefix_ids: tuple[TokenId, ...] = ()
    suffix_ids: tuple[TokenId, ...] = ()
    max_tokens: int = Field(default=96, ge=4, le=4096)

    @model_validator(mode="after")
    def _takes_an_instruction(self) -> PromptConfig:
        if "{instruction}" not in self.template:
            raise ValueError("template lacks {instruction}")
        return self


class EvlaConfig(_Strict):
    """Everything needed to build the network and to feed it; stored as `config.json`.

    arm_columns: of several arms, the columns of the proprioception vector that belong to each. The
    arms then share one proprio layer, which gives every arm a token of its own, and one continuous
    head. Empty: one token for the whole vector, one head for the whole action.

    untrained: parts whose weights were drawn and have never learned, such as `projector`,
    `backbones.0` or `action_rows`; training takes care that they do.
    """

    name: str
    backbones: tuple[BackboneConfig, ...] = Field(min_length=1, max_length=8)
    image: ImageConfig
    projector: Literal["gelu-mlp", "fused-gelu-mlp"]
    language_model: LanguageModelConfig
    action: ActionConfig
    prompt: PromptConfig = PromptConfig()
    proprio_dim: int = Field(default=0, ge=0, le=4096)
    arm_columns: tuple[tuple[int, ...], ...] = ()
    untrained: tuple[str, ...] = ()

    @property
    def arms(self) -> int:
        """Arms that share the proprio layer and the continuous head."""
        return max(1, len(self.arm_columns))

    @property
    def patches_per_camera(self) -> int:
        """Patch tokens of one camera, (image size / patch size) squared."""
        return (self.image.size // self.backbones[0].patch_size) ** 2

    @property
    def vision_width(self) -> int:
        """Channels of a fused patch: the sum of the backbones' widths."""
        return sum(backbone.hidden_size for backbone in self.backbones)

    @model_validator(mode="after")
    def _fits(self) -> EvlaConfig:
        for backbone in self.backbones:
            if self.image.size % backbone.patch_size:
                raise ValueError(
                    f"image size {self.image.size} is not a multiple of patch {backbone.patch_size}"
                )
            if backbone.patch_size != self.backbones[0].patch_size:
                raise ValueError("all backbones must share one patch size")
        if len(self.image.fills) not in (0, len(self.backbones)):
            raise ValueError(
                f"image.fills has {len(self.image.fills)} colours for {len(self.backbones)} towers"
            )
        columns = sorted(column for arm in self.arm_columns for column in arm)
        if self.arm_columns and columns != list(range(self.proprio_dim)):
            raise ValueError(
                f"arm_columns {list(self.arm_columns)} must name each of the {self.proprio_dim} "
                "proprioception numbers once"
            )
        if len({len(arm) for arm in self.arm_columns}) > 1 or self.action.dim % self.arms:
            raise ValueError(
                f"arm_columns {list(self.arm_columns)}: {self.arms} arms with as many numbers each "
                f"cannot share {self.proprio_dim} of proprioception and {self.action.dim} of action"
            )
        rows = self.language_model.vocabulary_rows
        beyond = [i for i in self.action.end_ids if i >= rows]
        if beyond:
            raise ValueError(f"action.end_ids {beyond[0]} is no row of the {rows} of the table")
        if self.action.vocabulary_size > self.language_model.vocabulary_rows:
            raise ValueError(
                f"action.vocabulary_size {self.action.vocabulary_size} is above "
                f"vocabulary_rows {self.language_model.vocabulary_rows}"
            )
        return self


def parse_config(data: dict[str, Any], source: str) -> EvlaConfig:
    """Build an `EvlaConfig` from plain data; `source` names the file in the error."""
    try:
        return EvlaConfig.model_validate(data)
    except ValidationError as error:
        raise ModelConfigError(lines(problems(error, EvlaConfig), source)) from error
