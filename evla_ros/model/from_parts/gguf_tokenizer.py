# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The byte-pair tokenizer of a GGUF file, which stores tokens and merges as metadata."""

from __future__ import annotations

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from evla_ros.errors import nearest, shorten
from evla_ros.model.errors import CheckpointError
from evla_ros.model.from_parts.gguf_file import GgufFile
from evla_ros.model.text_tokenizer import QWEN_SPLIT

_CONTROL, _USER_DEFINED = 3, 4
_LLAMA3_SPLIT = QWEN_SPLIT.replace(r"|\p{N}|", r"|\p{N}{1,3}|")


def gguf_tokenizer(file: GgufFile) -> Tokenizer:
    """Build the tokenizer.

    Raises:
        CheckpointError: it is no byte-pair tokenizer, or cuts text in an unknown way; the message
            says to give its tokenizer.json.
    """
    give = "give its tokenizer.json with --tokenizer"
    kind = str(file.value("tokenizer.ggml.model"))
    if kind != "gpt2":
        raise CheckpointError(
            f"{file.source}: a tokenizer of the kind {kind!r} is not read; {give}"
        )
    split = str(file.metadata.get("tokenizer.ggml.pre", "default"))
    if split not in _SPLITS:
        raise CheckpointError(
            f"{file.source}: how it cuts text ({split!r}) is not known; {nearest(split, _SPLITS)}. "
            f"Or {give}"
        )
    tokens, merges = file.value("tokenizer.ggml.tokens"), file.value("tokenizer.ggml.merges")
    kinds = file.metadata.get("tokenizer.ggml.token_type", [])
    try:
        pairs = [tuple(merge.split(" ", 1)) for merge in merges]
        vocabulary = {token: index for index, token in enumerate(tokens)}
        whole_words = split == "llama-bpe"  # a word that is a token is taken before any merge
        tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs, ignore_merges=whole_words))
    except BaseException as error:
        if isinstance(error, (KeyboardInterrupt, SystemExit)):
            raise
        raise CheckpointError(f"{file.source}: its tokenizer: {shorten(str(error))}") from error
    if split in _NORMALISED:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(_SPLITS[split])
    tokenizer.decoder = decoders.ByteLevel()
    special = [t for t, k in zip(tokens, kinds, strict=False) if k == _CONTROL]
    whole = [t for t, k in zip(tokens, kinds, strict=False) if k == _USER_DEFINED]
    tokenizer.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in special])
    tokenizer.add_tokens([AddedToken(t, normalized=False) for t in whole])
    return tokenizer


def _regex(pattern: str) -> list[pre_tokenizers.PreTokenizer]:
    return [
        pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]


_GPT2: list[pre_tokenizers.PreTokenizer] = [
    pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
]
_SPLITS: dict[str, list[pre_tokenizers.PreTokenizer]] = {
    "gpt-2": _GPT2,
    "smollm": [pre_tokenizers.Digits(individual_digits=True), *_GPT2],
    "qwen2": _regex(QWEN_SPLIT),
    "llama-bpe": _regex(_LLAMA3_SPLIT),
}
_NORMALISED = ("qwen2",)
