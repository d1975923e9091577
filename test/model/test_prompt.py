# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The published template, caching, batching, and instructions that cannot become a prompt."""

from __future__ import annotations

from typing import Any

import pytest
from tokenizers import Tokenizer

from evla_ros.model.config import PromptConfig
from evla_ros.model.errors import PromptError
from evla_ros.model.instruction_corpus import instruction_corpus
from evla_ros.model.prompt import PromptBuilder
from evla_ros.model.text_tokenizer import read_tokenizer, train_tokenizer


def test_published_template(tokenizer: Tokenizer) -> None:
    text = PromptBuilder(PromptConfig(), tokenizer).text("Put the Carrot on the plate")
    assert text == "In: What action should the robot take to put the carrot on the plate?\nOut:"


def test_ids_around_the_text(tokenizer: Tokenizer) -> None:
    bare = PromptBuilder(PromptConfig(), tokenizer).encode("lift")
    dressed = PromptBuilder(PromptConfig(prefix_ids=(1,), suffix_ids=(29871,)), tokenizer)
    assert dressed.encode("lift") == (1, *bare, 29871)


def test_batch_pads_on_the_right(tokenizer: Tokenizer) -> None:
    builder = PromptBuilder(PromptConfig(), tokenizer)
    ids, lengths = builder.batch(["lift the block", "lift"], length=90)
    assert ids.shape == (2, 90)
    for row, instruction in enumerate(["lift the block", "lift"]):
        assert tuple(ids[row, : lengths[row]].tolist()) == builder.encode(instruction)


@pytest.mark.parametrize(
    ("instruction", "message"),
    [
        ("", "empty"), ("  \n", "empty"), ("go " * 10_000, "10000 words"), (None, "not NoneType"),
        (7, "not int"), ("x y " * 40, "prompt tokens"), ("lift \ud800", "not valid Unicode"),
    ],
)  # fmt: skip
def test_bad_instructions_are_named(tokenizer: Tokenizer, instruction: Any, message: str) -> None:
    with pytest.raises(PromptError, match=message):
        PromptBuilder(PromptConfig(), tokenizer).encode(instruction)


def test_any_language_survives_a_trained_tokenizer(tmp_path: Any) -> None:
    trained = train_tokenizer(instruction_corpus(), 768)
    trained.save(str(tmp_path / "tokenizer.json"))
    loaded = read_tokenizer(tmp_path / "tokenizer.json")
    for text in ("stack the red block on the blue block", "schiebe den Würfel 左へ 🤖"):
        assert loaded.decode(loaded.encode(text).ids) == text
    assert len(loaded.encode(" stack the red block on the blue block").ids) <= 10
    assert trained.get_vocab_size() <= 768
