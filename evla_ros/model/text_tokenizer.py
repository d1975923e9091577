# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Byte-pair tokenizers (`tokenizer.json`): read, trained, or built from published ranks."""

from __future__ import annotations

import base64
import itertools
import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from evla_ros.errors import shorten, shown
from evla_ros.model.errors import CheckpointError, PromptError
from evla_ros.reading.limits import JSON_BYTES
from evla_ros.reading.text_files import read_text, regular_file

BEGIN_OF_TEXT = "<|begin|>"
MOST_GROWTH = 64
_LONGEST_TOKEN = 1024  # bytes
QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def read_tokenizer(path: Path) -> Tokenizer:
    """Load a `tokenizer.json`.

    Raises:
        CheckpointError: it is missing or malformed.
    """
    problem = regular_file(path)
    if problem:
        raise CheckpointError(f"tokenizer {shown(path)} {problem}; the checkpoint needs one")
    JSON_BYTES.check(path.stat().st_size, shown(path), CheckpointError)
    try:
        tokenizer = Tokenizer.from_file(str(path))
        growth = text_growth(tokenizer)
        tokenizer.no_padding()  # a prompt is as long as its tokens, whatever the file says
        tokenizer.no_truncation()
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        reason = shorten(str(error))
        raise CheckpointError(f"{shown(path)}: not a tokenizer file: {reason}") from error
    if growth > MOST_GROWTH:
        raise CheckpointError(
            f"{shown(path)}: its normaliser can make a text {growth:.3g} times longer; at most "
            f"{MOST_GROWTH} are accepted"
        )
    return tokenizer


def encode_text(tokenizer: Tokenizer, text: str) -> list[int]:
    """Return the token ids of a text, without special tokens.

    Raises:
        PromptError: the tokenizer cannot encode it, as one without an unknown token.
    """
    try:
        ids: list[int] = tokenizer.encode(text, add_special_tokens=False).ids
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise PromptError(
            f"the tokenizer cannot encode {shorten(repr(text))}: {shorten(str(error))}"
        ) from error
    return ids


def text_growth(tokenizer: Tokenizer) -> float:
    """Return how many times longer a text can get before it is cut into tokens.

    Replacements in a row multiply: thirty of "a" by "aa" make a thousand million letters of one.
    """
    growth = 1.0
    for part in (tokenizer.normalizer, tokenizer.pre_tokenizer):
        if part is not None:
            growth *= _growth(json.loads(part.__getstate__()))
    return growth


def _growth(step: dict[str, Any]) -> float:
    inner = step.get("normalizers") or step.get("pretokenizers") or ()
    if inner:
        return math.prod(map(_growth, inner))
    kind = step.get("type")
    if kind == "Prepend":
        return 1.0 + len(step.get("prepend", ""))
    if kind != "Replace":
        return 4.0 if kind in ("NFKD", "NFKC", "Precompiled", "ByteLevel") else 1.0
    pattern = step.get("pattern", {})
    content, text = len(step.get("content", "")), pattern.get("String")
    if text is None:  # an expression may match the empty text between any two letters
        return 1.0 + content
    return max(1.0, content / max(1, len(text)))


def train_tokenizer(corpus: Iterable[str], vocabulary_size: int) -> Tokenizer:
    """Train a byte-level BPE tokenizer.

    The id 0 is `<|begin|>`; unseen words are split into bytes.

    Args:
        corpus: lines of text.
        vocabulary_size: entries, at least 257.

    Raises:
        PromptError: fewer entries than that.
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
    """Build Qwen's tokenizer from a file of its byte-pair ranks (`base64 rank` in each line).

    Raises:
        CheckpointError: the file is missing, or is something else.
    """
    text = read_text(ranks_file, JSON_BYTES, CheckpointError)
    try:
        return _from_ranks(_ranks(text))
    except (ValueError, LookupError, OverflowError) as error:
        raise CheckpointError(
            f"{shown(ranks_file)}: not a file of byte-pair ranks: {shorten(str(error))}"
        ) from error


def _ranks(text: str) -> dict[bytes, int]:
    ranks: dict[bytes, int] = {}
    for line in filter(None, text.splitlines()):
        token, rank = line.split()
        ranks[base64.b64decode(token, validate=True)] = int(rank)
    longest = max(map(len, ranks), default=0)
    if not 0 < longest <= _LONGEST_TOKEN or not min(ranks.values()) >= 0:
        raise ValueError(f"tokens of {longest} bytes, or negative ranks")
    return ranks


def _from_ranks(ranks: dict[bytes, int]) -> Tokenizer:
    to_text = _byte_characters()
    vocabulary = {_printable(token, to_text): rank for token, rank in ranks.items()}
    merges = []
    for token in sorted(ranks, key=ranks.__getitem__):
        if len(token) > 1:
            left, right = _last_merge(token, ranks)
            merges.append((_printable(left, to_text), _printable(right, to_text)))
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    return tokenizer


def _last_merge(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """Return the two parts that a token was merged from: merge its bytes until two are left."""
    parts = [bytes([byte]) for byte in token]
    while len(parts) > 2:
        joined = [ranks.get(a + b, len(ranks)) for a, b in itertools.pairwise(parts)]
        best = min(range(len(joined)), key=joined.__getitem__)
        parts[best : best + 2] = [parts[best] + parts[best + 1]]
    return parts[0], parts[1]


def _byte_characters() -> dict[int, str]:
    """Return the printable character that GPT-2 uses for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {byte: chr(byte) for byte in printable}
    for byte in range(256):
        table.setdefault(byte, chr(256 + len(table) - len(printable)))
    return table


def _printable(token: bytes, table: dict[int, str]) -> str:
    return "".join(table[byte] for byte in token)
