# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The settings of phase 1, which learns answers in text from pictures with conversations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field, field_validator

from evla_ros.settings_errors import Problem
from evla_ros.training.run_settings import RunSettings, Strict

PUBLISHED_LENGTH = 2048  # tokens, of Prismatic VLMs
QUESTION = "{question}"


class ConversationData(Strict):
    """A LLaVA-style JSON file.

    Attributes:
        path: The file.
        images: Folder that the names of its pictures start from; empty takes the file's folder.
    """

    path: str = Field(min_length=1)
    images: str = ""


class PretrainedModel(Strict):
    """Where the network comes from.

    Attributes:
        preset: Build a new, random network of this preset; empty means evla-nano.
        start: Start from this checkpoint folder instead, such as `evla build` makes.
        proprio_dim: Proprioception numbers of a new network; they are 0 in this phase.
        attention: The attention kernel; `auto` measures which one is faster.
    """

    preset: str = ""
    start: str = ""
    proprio_dim: int = Field(default=0, ge=0, le=4096)
    attention: Literal["eager", "sdpa", "auto"] = "auto"


class TextSettings(Strict):
    """How conversations become tokens.

    Attributes:
        question: What stands before an answer; `{question}` is the question.
        max_length: Tokens of a conversation without its pictures; what exceeds them is cut off. 0
            takes 2048, or as many as the network has positions for.
        held_out: Conversations, drawn by the seed, that are scored and not learned.
        broken_share: The run ends when more than this share of the pictures is missing or damaged.
        workers: Processes that make batches; 0 makes them in the training process. Empty
            takes 0 on a CPU and up to 8 for a GPU.
    """

    question: str = Field(default="In: {question}\nOut:", max_length=10_000)
    max_length: Annotated[int, Field(ge=0, le=1 << 20)] = 0
    held_out: int = Field(default=0, ge=0, le=1_000_000)
    broken_share: float = Field(default=0.01, ge=0, le=1)
    workers: Annotated[int, Field(ge=0, le=1024)] | None = None

    @field_validator("question")
    @classmethod
    def _holds_the_question(cls, value: str) -> str:
        if QUESTION not in value:
            raise ValueError(f"{value!r} lacks {QUESTION}")
        return value


class PretrainConfig(RunSettings):
    """Everything that `evla train pretrain` needs.

    Attributes:
        conversations: The files to learn from; together they are shuffled once an epoch.
        stage: What learns: the projector alone (`align`), or the language model too (`finetune`).
        vision: Whether the encoders learn as well.
        model: Where the network comes from.
        data: How conversations become tokens.
    """

    conversations: tuple[ConversationData, ...] = Field(min_length=1)
    stage: Literal["align", "finetune"] = "finetune"
    vision: bool = False
    model: PretrainedModel = PretrainedModel()
    data: TextSettings = TextSettings()


def unused_in_pretraining(config: PretrainConfig) -> Iterator[Problem]:
    """Yield the settings that the configuration alone shows to have no effect."""
    for key in ("preset", "proprio_dim"):
        if config.model.start and getattr(config.model, key):
            text = f"{getattr(config.model, key)!r} has no effect beside model.start, whose network"
            yield Problem(("model", key), f"{text} goes on; leave one of them out")
    for key in ("eval_every", "eval_batches"):
        if not config.data.held_out and getattr(config, key) != default_of(key):
            text = "no effect while data.held_out is 0, which holds nothing out"
            yield Problem((key,), text)


def default_of(key: str) -> object:
    """Return the default of a setting that every run has."""
    return RunSettings.model_fields[key].default
