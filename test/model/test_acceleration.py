# SPDX-FileCopyrightText: 2026 The evla_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Compiled blocks give what eager ones give; a machine without a compiler says so."""

from __future__ import annotations

import copy

import pytest
import torch
from tiny_model import random_batch, tiny_config, tiny_model

from evla_ros.model.acceleration import compile_blocks
from evla_ros.model.decode import decode
from evla_ros.model.errors import ModelConfigError
from evla_ros.model.fusion import fuse_projections
from evla_ros.model.predictor import TEXT_BUCKET, Predictor
from evla_ros.shared_files import checkpoint_folder


@pytest.mark.timeout(300)
@torch.inference_mode()
def test_compiled_blocks_equal_eager_ones() -> None:
    model = tiny_model(tiny_config(proprio=5))
    compiled = compile_blocks(fuse_projections(copy.deepcopy(model)))
    for seed in (1, 2):
        batch = random_batch(model.config, [9], seed=seed)
        expected = decode(model, batch, "joint", "l1")
        torch.testing.assert_close(
            decode(compiled, batch, "joint", "l1"), expected, atol=1e-5, rtol=0
        )


def test_no_compiler_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    with pytest.raises(ModelConfigError, match="needs a C\\+\\+ compiler"):
        compile_blocks(tiny_model(tiny_config()))


def test_every_length_of_a_prompt_is_tried_before_the_robot_moves(monkeypatch):
    predictor = Predictor(checkpoint_folder("tabletop_arm"))
    lengths, decode_batch = [], predictor.network.decode

    def watched(batch):
        lengths.append(batch.input_ids.shape[1])
        assert int(batch.text_lengths.max()) <= lengths[-1]
        return decode_batch(batch)

    monkeypatch.setattr(predictor.network, "decode", watched)
    predictor._capture_all([predictor._grey("lift the red block")])
    longest = predictor.config.prompt.max_tokens
    assert lengths == list(range(TEXT_BUCKET, longest + TEXT_BUCKET, TEXT_BUCKET))[: len(lengths)]
    assert lengths[-1] >= longest
