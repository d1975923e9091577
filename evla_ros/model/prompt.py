# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From instructions to the token ids of prompts, in the exact published template."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from tokenizers import Tokenizer
from torch import Tensor

from evla_ros.model.config import PromptConfig
from evla_ros.model.errors import PromptError
from evla_ros.model.text_tokenizer import encode_text

CACHED_PROMPTS = 256


class PromptBuilder:
    """Builds prompts: prefix ids, the tokens of the template with its instruction, suffix ids."""

    def __init__(self, config: PromptConfig, tokenizer: Tokenizer, rows: int = 0) -> None:
        """Take what prompts are made of.

        Args:
            config: template and surrounding ids.
            tokenizer: the tokenizer of the text.
            rows: rows of the network's embedding table, which no id may exceed; 0 does not check.
        """
        self.config = config
        self.tokenizer = tokenizer
        self.rows = rows
        self._encode = lru_cache(maxsize=CACHED_PROMPTS)(self._encode_uncached)

    def text(self, instruction: str) -> str:
        """Return the prompt as text; the instruction is in lower case, as in training."""
        return self.config.template.replace("{instruction}", instruction.strip().lower())

    def encode(self, instruction: Any) -> tuple[int, ...]:
        """Return the token ids of the prompt of one instruction; the latest ones are cached.

        Raises:
            PromptError: the instruction is not text, is empty, or needs more than `max_tokens`.
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
        """Return the prompts of several instructions as one tensor.

        Args:
            instructions: B of them.
            length: how many columns the tensor gets; None takes the longest prompt's.

        Returns:
            Ids [B, T], padded on the right, and the length of each prompt [B].
        """
        rows = [self.encode(instruction) for instruction in instructions]
        lengths = torch.tensor([len(row) for row in rows])
        ids = torch.zeros(len(rows), length or int(lengths.max()), dtype=torch.long)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = torch.tensor(row)
        return ids, lengths

    def _encode_uncached(self, instruction: str) -> tuple[int, ...]:
        tokens = encode_text(self.tokenizer, self.text(instruction))
        ids = (*self.config.prefix_ids, *tokens, *self.config.suffix_ids)
        if len(ids) > self.config.max_tokens:
            raise PromptError(
                f"the instruction {instruction[:40]!r} needs {len(ids)} prompt tokens; the model "
                f"takes at most {self.config.max_tokens}, shorten it"
            )
        if self.rows and max(ids, default=0) >= self.rows:
            raise PromptError(
                f"the tokenizer gives the id {max(ids)}, the network has {self.rows} rows: they do "
                "not belong together"
            )
        return ids


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True
