# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Byte-pair tokenizers (`tokenizer.json`): read, trained, or built from published ranks."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from evla_ros.model.errors import CheckpointError, PromptError

BEGIN_OF_TEXT = "<|begin|>"
_QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def read_tokenizer(path: Path) -> Tokenizer:
    """Load a `tokenizer.json`; `CheckpointError` when it is missing or malformed."""
    if not path.is_file():
        raise CheckpointError(f"tokenizer {str(path)!r} does not exist; the checkpoint needs one")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise CheckpointError(f"{path}: not a tokenizer file: {error}") from error


def train_tokenizer(corpus: Iterable[str], vocabulary_size: int) -> Tokenizer:
    """Train byte-level BPE on lines of text.

    Id 0 is `<|begin|>`, unseen words fall back to bytes.
    """
    if vocabulary_size < 257:
        raise PromptError(
            f"a byte-level tokenizer needs at least 257 entries, not {vocabulary_size}"
        )
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary_size,
        special_tokens=[BEGIN_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(corpus, trainer)
    return tokenizer


def qwen_tokenizer(ranks_file: Path) -> Tokenizer:
    """Build Qwen's tokenizer from its byte-pair ranks (`base64 rank` per line)."""
    lines = (line.split() for line in ranks_file.read_text().splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    to_text = _byte_characters()
    vocabulary = {_printable(token, to_text): rank for token, rank in ranks.items()}
    merges = [
        tuple(_printable(part, to_text) for part in _last_merge(token, ranks))
        for token in sorted(ranks, key=ranks.__getitem__)
        if len(token) > 1
    ]
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_QWEN_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    return tokenizer


def _last_merge(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """The pair whose merge gives `token`: merge its bytes by rank until two parts are left."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        joined = [ranks.get(a + b, len(ranks)) for a, b in itertools.pairwise(parts)]
        best = min(range(len(joined)), key=joined.__getitem__)
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
    return parts[0], parts[1]


def _byte_characters() -> dict[int, str]:
    """GPT-2's map of every byte to a printable character."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        table.setdefault(byte, chr(256 + len(table) - len(printable)))
    return table


def _printable(token: bytes, table: dict[int, str]) -> str:
    return "".join(table[byte] for byte in token)
