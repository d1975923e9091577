# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Conversations as token ids, and which of them are learned: the answers and their ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from tokenizers import Tokenizer
from torch import Tensor

from evla_ros.model.text_tokenizer import encode_text
from evla_ros.training.pretrain_config import QUESTION
from evla_ros.training.samples.conversations import Conversation

_ENDS = ("<|endoftext|>", "</s>", "<eos>", "<|end_of_text|>", "<|im_end|>")
_NEWLINE = "\n"


class Row(NamedTuple):
    """The tokens of a conversation.

    Attributes:
        ids: Token ids.
        learned: For each, whether it is learned.
        cut: Whether tokens beyond the longest row were cut off.
    """

    ids: list[int]
    learned: list[bool]
    cut: bool


@dataclass(frozen=True, eq=False)
class ConversationEncoder:
    """Turns conversations into rows.

    Attributes:
        tokenizer: Of the text.
        prefix_ids: Ids before the text, such as the beginning of text of Llama.
        question: What stands before an answer, with `{question}` in it.
        longest: Tokens of a row, at most.
        captions: Whether a single answer is learned without its question, as stage `align` of
            Prismatic VLMs does.
    """

    tokenizer: Tokenizer
    prefix_ids: tuple[int, ...]
    question: str
    longest: int
    captions: bool = False

    @property
    def end(self) -> str:
        """The text that ends an answer: the tokenizer's own end of text, else a new line."""
        known = (end for end in _ENDS if self.tokenizer.token_to_id(end) is not None)
        return next(known, _NEWLINE)

    def __call__(self, conversation: Conversation) -> Row:
        """Return the row of a conversation; its first token is never learned."""
        ids, learned = list(self.prefix_ids), [False] * len(self.prefix_ids)
        for tokens, is_answer in self._parts(conversation):
            ids += tokens
            learned += [is_answer] * len(tokens)
        learned[:1] = [False]
        return Row(ids[: self.longest], learned[: self.longest], len(ids) > self.longest)

    def may_exceed(self, conversation: Conversation) -> bool:
        """Return whether a conversation may be cut: a token is a byte of its text at least."""
        text = [part for turn in conversation.turns for part in turn]
        added = (len(self.question) + len(self.end)) * len(text)
        return sum(len(part.encode()) for part in text) + added > self.longest

    def _parts(self, conversation: Conversation) -> Iterator[tuple[list[int], bool]]:
        token: int | None = self.tokenizer.token_to_id(self.end)
        ends = self._encode(_NEWLINE) if token is None else [token]
        if self.captions and len(conversation.turns) == 1:
            yield self._encode(conversation.turns[0][1]) + ends, True
            return
        for question, answer in conversation.turns:
            yield self._encode(self.question.replace(QUESTION, question)), False
            yield self._encode(f" {answer}") + ends, True

    def _encode(self, text: str) -> list[int]:
        return encode_text(self.tokenizer, text)


def pad(rows: Sequence[Row]) -> tuple[Tensor, Tensor, Tensor]:
    """Return ids [B, T], lengths [B] and the learned mask [B, T], padded on the right."""
    longest = max(len(row.ids) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for i, row in enumerate(rows):
        ids[i, : len(row.ids)] = torch.tensor(row.ids)
        mask[i, : len(row.ids)] = torch.tensor(row.learned)
    return ids, torch.tensor([len(row.ids) for row in rows]), mask
