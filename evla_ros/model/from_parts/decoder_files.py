# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A language model from a Hugging Face folder, a GGUF file or a Prismatic `.pt`, as our decoder."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer

from evla_ros.errors import shown
from evla_ros.model.errors import CheckpointError
from evla_ros.model.from_parts.decoder import Decoder, map_decoder
from evla_ros.model.from_parts.decoder_settings import decoder_settings
from evla_ros.model.from_parts.gguf_decoder import open_gguf
from evla_ros.model.from_parts.prismatic_decoder import open_prismatic
from evla_ros.model.from_parts.weight_files import read_weights
from evla_ros.model.text_tokenizer import qwen_tokenizer, read_tokenizer


def open_decoder(path: Path, tokenizer: Path | None) -> Decoder:
    """Open a language model.

    Args:
        path: a Hugging Face folder, a `.gguf`, or a Prismatic `.pt`.
        tokenizer: a tokenizer.json or .tiktoken that goes before the one beside the weights.

    Raises:
        CheckpointError: it is none of them, or a model that our decoder cannot be.
    """
    given = None if tokenizer is None else _tokenizer(tokenizer)
    if path.suffix == ".gguf":
        return open_gguf(path, given)
    if path.suffix == ".pt":
        return open_prismatic(path, given)
    weights, settings = read_weights(path)
    source = shown(path)
    if not settings:
        raise CheckpointError(f"{source}: a language model is a folder with a config.json")
    config = decoder_settings(settings, weights, f"{source}: config.json")
    tensors = map_decoder(weights, config, source)
    return Decoder(config, tensors, given or _beside(path))


def _tokenizer(path: Path) -> Tokenizer:
    return qwen_tokenizer(path) if path.suffix == ".tiktoken" else read_tokenizer(path)


def _beside(folder: Path) -> Tokenizer | None:
    if (folder / "tokenizer.json").is_file():
        return read_tokenizer(folder / "tokenizer.json")
    ranks = sorted(folder.glob("*.tiktoken"))
    return qwen_tokenizer(ranks[0]) if len(ranks) == 1 else None
