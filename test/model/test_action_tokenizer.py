# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""OpenVLA's bins, edge for edge, with the published ids of three vocabularies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evla_ros.model.action_tokenizer import ActionTokenizer
from evla_ros.model.config import PromptConfig
from evla_ros.model.prompt import PromptBuilder
from evla_ros.model.text_tokenizer import qwen_tokenizer

QWEN, LLAMA, MINIVLA = 151643, 32000, 151921
ACTIONS = arrays(np.float64, 7, elements=st.floats(-3, 3))


@pytest.mark.parametrize(
    ("vocabulary", "value", "token"),
    [
        (QWEN, 1.0, 151387), (QWEN, -1.0, 151642), (QWEN, 0.0, 151515), (QWEN, 9.0, 151387),
        (LLAMA, 1.0, 31744), (LLAMA, -1.0, 31999), (MINIVLA, 1.0, 151665), (MINIVLA, -1.0, 151920),
    ],
)  # fmt: skip
def test_published_ids(vocabulary: int, value: float, token: int) -> None:
    assert ActionTokenizer(vocabulary).encode(value) == token


def test_published_values() -> None:
    qwen = ActionTokenizer(QWEN)
    np.testing.assert_allclose(qwen.decode([151387, 151642]), [0.99607843, -0.99607843])
    assert qwen.decode(151515) == 0.0
    assert qwen.decode(QWEN) == qwen.decode(QWEN - 1)  # end of text is clipped to the last bin


@given(ACTIONS)
def test_arithmetic_is_openvlas(actions: np.ndarray) -> None:
    """Against the published lines, written out: clip, digitize, subtract; and back."""
    edges = np.linspace(-1, 1, 256)
    discretised = np.digitize(np.clip(actions, -1.0, 1.0), edges)
    tokenizer = ActionTokenizer(QWEN)
    ids = tokenizer.encode(actions)
    np.testing.assert_array_equal(ids, QWEN - discretised)
    centres = (edges[:-1] + edges[1:]) / 2.0
    expected = centres[np.clip(QWEN - ids - 1, a_min=0, a_max=centres.shape[0] - 1)]
    np.testing.assert_array_equal(tokenizer.decode(ids), expected)


@given(ACTIONS)
def test_rows_of_the_logits_name_the_same_bins(actions: np.ndarray) -> None:
    tokenizer = ActionTokenizer(MINIVLA)
    rows = tokenizer.rows(torch.from_numpy(actions))
    np.testing.assert_array_equal(rows.numpy() + tokenizer.first_id, tokenizer.encode(actions))
    np.testing.assert_array_equal(
        tokenizer.values(rows).numpy(), tokenizer.decode(tokenizer.encode(actions))
    )


@given(ACTIONS)
def test_round_trip_is_within_half_a_bin(actions: np.ndarray) -> None:
    tokenizer = ActionTokenizer(LLAMA)
    error = np.abs(tokenizer.decode(tokenizer.encode(actions)) - np.clip(actions, -1, 1))
    assert (error <= 1 / 255 + 1e-12).all()


def test_real_qwen_vocabulary(shared: Path) -> None:
    """Prompt ids of the published recipe, and action ids that lie in the byte-pair ranks' tail."""
    ranks = shared / "qwen_vocabulary" / "qwen.tiktoken"
    if not ranks.is_file():
        ranks = shared / "data" / "qwen_vocabulary" / "qwen.tiktoken"
    tokenizer = qwen_tokenizer(ranks)
    assert tokenizer.get_vocab_size(with_added_tokens=False) == QWEN
    ids = PromptBuilder(PromptConfig(suffix_ids=(220,)), tokenizer).encode("Pick up the Cup")
    assert ids[:2] == (641, 25)
    assert ids[-4:] == (5267, 2662, 25, 220)
    assert tokenizer.token_to_id("<|endoftext|>") == 151643
    with_blank = tokenizer.encode(
        "In: What action should the robot take to pick up the cup?\nOut: "
    )
    assert tuple(with_blank.ids) == ids
    action_ids = ActionTokenizer(QWEN).encode(np.linspace(-1, 1, 7))
    through_text = tokenizer.encode(tokenizer.decode([*ids, *action_ids])).ids
    assert through_text != [*ids, *action_ids]  # why ids never become text
