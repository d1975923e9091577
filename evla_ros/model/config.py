# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The architecture of one EVLA model as frozen, strictly checked data; knows no torch."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from evla_ros.errors import nearest
from evla_ros.model.errors import ModelConfigError

MaskKind = Literal["isolated", "bidirectional", "prefix_lm", "block_prefix_lm"]
DecodeMode = Literal["joint", "autoregressive", "released"]
HeadName = Literal["tokens", "l1"]
PUBLISHED_TEMPLATE = "In: What action should the robot take to {instruction}?\nOut:"


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class BackboneConfig(_Strict):
    """One vision transformer; of the `depth` published blocks the last is never built."""

    kind: Literal["dinov2", "siglip"]
    hidden_size: int = Field(gt=0)
    depth: int = Field(ge=2)
    heads: int = Field(gt=0)
    mlp_size: int = Field(gt=0)
    patch_size: int = Field(gt=0)
    register_tokens: int = Field(default=0, ge=0)
    activation: Literal["gelu", "gelu_pytorch_tanh"] = "gelu"
    stem: Literal["patchify", "conv"] = "patchify"
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

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
    """Cameras in fusion order and how a frame becomes a square of `size` pixels."""

    size: int = Field(gt=0)
    cameras: tuple[str, ...] = Field(min_length=1)
    resize: Literal["squash", "letterbox"] = "squash"
    center_crop: bool = False  # True when trained with random crops: evaluate on 90 % of the area

    @model_validator(mode="after")
    def _distinct(self) -> ImageConfig:
        if len(set(self.cameras)) != len(self.cameras):
            raise ValueError(f"cameras {list(self.cameras)} repeat a name")
        return self


class LanguageModelConfig(_Strict):
    """A decoder of one family; `vocabulary_rows` is the size of its embedding table."""

    family: Literal["qwen2", "llama", "gemma", "phi"]
    vocabulary_rows: int = Field(gt=0)
    hidden_size: int = Field(gt=0)
    layers: int = Field(gt=0)
    heads: int = Field(gt=0)
    key_value_heads: int = Field(gt=0)
    mlp_size: int = Field(gt=0)
    head_dim: int | None = None
    rope_theta: float = 1e6
    norm_eps: float = 1e-6
    tie_embeddings: bool = True
    max_positions: int = 32768

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
    """

    chunk: int = Field(gt=0)
    dim: int = Field(gt=0)
    bins: int = Field(default=256, ge=2)
    vocabulary_size: int = Field(gt=0)
    heads: tuple[HeadName, ...] = ("tokens",)
    l1_width: int = Field(default=1024, gt=0)
    mask: MaskKind = "bidirectional"
    decode: DecodeMode = "joint"
    output: HeadName = "tokens"
    normalization: Literal["q99", "min_max", "mean_std"] = "q99"

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
        if self.vocabulary_size < self.bins:
            raise ValueError(f"vocabulary_size {self.vocabulary_size} is below bins {self.bins}")
        return self


class PromptConfig(_Strict):
    """Template and the ids that surround its tokens (beginning of text, the trailing blank)."""

    template: str = PUBLISHED_TEMPLATE
    prefix_ids: tuple[int, ...] = ()
    suffix_ids: tuple[int, ...] = ()
    max_tokens: int = Field(default=96, ge=4)

    @model_validator(mode="after")
    def _has_place(self) -> PromptConfig:
        if "{instruction}" not in self.template:
            raise ValueError("template lacks {instruction}")
        return self


class EvlaConfig(_Strict):
    """Everything needed to build the network and to feed it; stored as `config.json`.

    arm_columns: of several arms, the columns of the proprioception vector that belong to each. The
    arms then share one proprio layer, which gives every arm a token of its own, and one continuous
    head. Empty: one token for the whole vector, one head for the whole action.
    """

    name: str
    backbones: tuple[BackboneConfig, ...] = Field(min_length=1)
    image: ImageConfig
    projector: Literal["gelu-mlp", "fused-gelu-mlp"]
    language_model: LanguageModelConfig
    action: ActionConfig
    prompt: PromptConfig = PromptConfig()
    proprio_dim: int = Field(default=0, ge=0)
    arm_columns: tuple[tuple[int, ...], ...] = ()

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
        first = error.errors()[0]
        path = ".".join(str(part) for part in first["loc"])
        hint = ""
        if first["type"] == "extra_forbidden":
            hint = f"; {nearest(str(first['loc'][-1]), _fields_at(first['loc'][:-1]))}"
        raise ModelConfigError(f"{source}: {path or 'model'}: {first['msg']}{hint}") from error


def _fields_at(path: tuple[int | str, ...]) -> list[str]:
    owners: dict[str, type[BaseModel]] = {
        "backbones": BackboneConfig,
        "image": ImageConfig,
        "language_model": LanguageModelConfig,
        "action": ActionConfig,
        "prompt": PromptConfig,
    }
    return list(owners.get(str(path[0]) if path else "", EvlaConfig).model_fields)
