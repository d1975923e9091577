# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Instructions to prompt token ids, in the exact published template."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from evla_ros.model.config import PromptConfig
from evla_ros.model.errors import PromptError

CACHED_PROMPTS = 256


class PromptBuilder:
    """Prefix ids, the template's tokens, suffix ids; each instruction is tokenised once."""

    def __init__(self, config: PromptConfig, tokenizer: Tokenizer) -> None:
        self.config = config
        self.tokenizer = tokenizer
        self._encode = lru_cache(maxsize=CACHED_PROMPTS)(self._encode_uncached)

    def text(self, instruction: str) -> str:
        """The prompt as text; the instruction is lower-cased as in training."""
        return self.config.template.replace("{instruction}", instruction.strip().lower())

    def encode(self, instruction: Any) -> tuple[int, ...]:
        """Prompt ids of one instruction (the latest ones are cached).

        Raises:
            PromptError: not text, empty, or longer than `max_tokens`.
        """
        if not isinstance(instruction, str):
            raise PromptError(f"an instruction is text, not {type(instruction).__name__}")
        if not instruction.strip():
            raise PromptError("the instruction is empty; say what the robot should do")
        if len(instruction) > 32 * self.config.max_tokens:
            raise PromptError(
                f"the instruction has {len(instruction.split())} words; the model takes at most "
                f"{self.config.max_tokens} prompt tokens, shorten it"
            )
        if not _is_text(instruction):
            raise PromptError(f"the instruction {instruction[:40]!r} is not valid Unicode text")
        return self._encode(instruction)

    def batch(self, instructions: list[str], length: int | None = None) -> tuple[Tensor, Tensor]:
        """Right-padded ids [B, T] and lengths [B]; `length` fixes T (static shapes)."""
        rows = [self.encode(instruction) for instruction in instructions]
        lengths = torch.tensor([len(row) for row in rows])
        ids = torch.zeros(len(rows), length or int(lengths.max()), dtype=torch.long)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = torch.tensor(row)
        return ids, lengths

    def _encode_uncached(self, instruction: str) -> tuple[int, ...]:
        words = self.tokenizer.encode(self.text(instruction), add_special_tokens=False).ids
        ids = (*self.config.prefix_ids, *words, *self.config.suffix_ids)
        if len(ids) > self.config.max_tokens:
            raise PromptError(
                f"the instruction {instruction[:40]!r} needs {len(ids)} prompt tokens; the model "
                f"takes at most {self.config.max_tokens}, shorten it"
            )
        return ids


def _is_text(words: str) -> bool:
    try:
        words.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True
