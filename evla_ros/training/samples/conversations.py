# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""LLaVA-style JSON (`image`, `conversations`) as token rows; only the answers are learned."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor

from evla_ros.training.errors import TrainingDataError

END = "\n"
IMAGE_MARK = "<image>"


@dataclass(frozen=True)
class Conversation:
    """One picture and its turns: (question, answer) pairs."""

    image: Path
    turns: tuple[tuple[str, str], ...]


def read_conversations(path: Path, images: Path | None = None) -> list[Conversation]:
    """Read a JSON list; raises TrainingDataError naming the item that is not as it should be."""
    folder = images or path.parent
    try:
        items = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise TrainingDataError(f"{path}: not a readable JSON list: {error}") from error
    if not isinstance(items, list) or not items:
        raise TrainingDataError(f"{path}: holds no conversations")
    return [_conversation(item, folder, f"{path}: item {i}") for i, item in enumerate(items)]


def _conversation(item: object, folder: Path, where: str) -> Conversation:
    try:
        turns = item["conversations"]  # type: ignore[index]
        pairs = tuple(
            (ask["value"].replace(IMAGE_MARK, "").strip(), answer["value"].strip())
            for ask, answer in zip(turns[::2], turns[1::2], strict=True)
        )
        image = folder / item["image"]  # type: ignore[index]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise TrainingDataError(
            f"{where} lacks `image` or pairs of `conversations` turns with `value`"
        ) from error
    if not pairs or not all(answer for _, answer in pairs):
        raise TrainingDataError(f"{where} has an empty answer")
    if not image.is_file():
        raise TrainingDataError(f"{where}: the image {str(image)!r} does not exist")
    return Conversation(image, pairs)


def encode(
    conversation: Conversation, tokenizer: Tokenizer, prefix_ids: tuple[int, ...], longest: int
) -> tuple[list[int], list[bool]]:
    """Return ids and which of them are learned (answers and their end)."""
    ids, learned = list(prefix_ids), [False] * len(prefix_ids)
    for question, answer in conversation.turns:
        ask = tokenizer.encode(f"In: {question}\nOut:", add_special_tokens=False).ids
        say = tokenizer.encode(f" {answer}{END}", add_special_tokens=False).ids
        ids += [*ask, *say]
        learned += [False] * len(ask) + [True] * len(say)
    return ids[:longest], learned[:longest]


def pad(rows: list[tuple[list[int], list[bool]]]) -> tuple[Tensor, Tensor, Tensor]:
    """Return ids [B, T], lengths [B] and the learned mask [B, T], padded on the right."""
    longest = max(len(ids) for ids, _ in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for i, (row, learned) in enumerate(rows):
        ids[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = torch.tensor(learned)
    return ids, torch.tensor([len(row) for row, _ in rows]), mask


def read_image(path: Path) -> npt.NDArray[np.uint8]:
    """Return a picture as uint8 [H, W, 3] RGB."""
    from evla_ros.data.image_jpeg import decode_rgb

    return decode_rgb(path.read_bytes())
