# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who sees whom, block by block, in the four masks."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from tiny_model import random_batch, tiny_config, tiny_model

from evla_ros.model.attention_mask import MASK_RULES, visible
from evla_ros.model.config import MaskKind
from evla_ros.model.errors import ModelConfigError
from evla_ros.model.slots import build_layout

SHARED, TEXT, SLOTS = 4, 3, 2  # token 0 and pictures, text behind token 0, slots


def seen(mask: MaskKind) -> dict[str, str]:
    """Block -> which blocks all of it sees ('.': none or only part of it)."""
    layout = build_layout(torch.tensor([[TEXT + 1]]), TEXT + 1, SHARED, SLOTS)
    allowed = visible(layout, *MASK_RULES[mask])[0]
    blocks = {"i": slice(0, SHARED), "t": slice(SHARED, SHARED + TEXT), "s": slice(-SLOTS, None)}
    found = {}
    for row, rows in blocks.items():
        whole = {column: bool(allowed[rows, columns].all()) for column, columns in blocks.items()}
        found[row] = "".join(column if sees else "." for column, sees in whole.items())
    return found


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        ("isolated", {"i": "...", "t": "i..", "s": "it."}),
        ("bidirectional", {"i": "...", "t": "i..", "s": "its"}),
        ("prefix_lm", {"i": "it.", "t": "it.", "s": "its"}),
        ("block_prefix_lm", {"i": "i..", "t": "it.", "s": "its"}),
    ],
)
def test_blocks(mask: MaskKind, expected: dict[str, str]) -> None:
    assert seen(mask) == expected


@torch.inference_mode()
def test_under_prefix_lm_a_picture_sees_its_instruction() -> None:
    for mask, moves in (("prefix_lm", True), ("block_prefix_lm", False)):
        model = tiny_model(tiny_config(mask=mask))
        batch = random_batch(model.config, [9])
        ids = batch.input_ids.clone()
        ids[0, 5] += 1
        other = dataclasses.replace(batch, input_ids=ids)
        one, two = (model.forward_joint(inputs).image_states for inputs in (batch, other))
        assert torch.equal(one, two) != moves


def test_prefix_lm_takes_one_instruction_a_picture() -> None:
    model = tiny_model(tiny_config(mask="prefix_lm"))
    batch = random_batch(model.config, [9])
    packed = dataclasses.replace(
        batch,
        input_ids=batch.input_ids[:, None].repeat(1, 2, 1),
        text_lengths=batch.text_lengths[:, None].repeat(1, 2),
    )
    with pytest.raises(ModelConfigError, match=r"so it takes one; the batch has 2"):
        model.forward_joint(packed)
